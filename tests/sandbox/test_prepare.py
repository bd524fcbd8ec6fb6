"""The preparation: the release lock, a /tmp that can execute, the manifest, the list of what is
kept."""

from __future__ import annotations

import pytest

from kiln.domain.packages import parse_packages
from tests.sandbox.bakery import BUILDER, Bakery, Row, step_of

LOCK_FILE = "/etc/cloud/cloud.cfg.d/99-kiln-release-lock.cfg"


def locked(bakery: Bakery, platform: str, lock: str) -> int:
    run = bakery.prepare(Row(platform), lock)
    return step_of(run, "lock").exit_code


@pytest.mark.parametrize(
    ("lock", "variable"),
    [("current", ""), ("2023.8.20250818", "2023.8.20250818"), ("none", "latest")],
)
def test_amazon_linux_2023_is_locked_by_its_variable(
    bakery: Bakery, lock: str, variable: str
) -> None:
    bakery.start(Row("amazon-linux-2023"))
    bakery.sh(BUILDER, "mkdir -p /etc/dnf/vars; echo latest >/etc/dnf/vars/releasever")
    for _ in range(2):
        assert locked(bakery, "amazon-linux-2023", lock) == 0
        assert bakery.sh(BUILDER, "cat /etc/dnf/vars/releasever 2>/dev/null").strip() == variable


@pytest.mark.parametrize(
    ("lock", "lines"),
    [("current", []), ("2017.09", ["releasever=2017.09"]), ("none", ["releasever=latest"])],
)
def test_amazon_linux_1_is_locked_in_the_main_section(
    bakery: Bakery, lock: str, lines: list[str]
) -> None:
    bakery.start(Row("amazon-linux-1"))
    bakery.sh(BUILDER, "printf '[mine]\\nname=mine\\n' >>/etc/yum.conf")
    for _ in range(2):
        assert locked(bakery, "amazon-linux-1", lock) == 0
        main = bakery.sh(BUILDER, "sed '/^.mine/,$d' /etc/yum.conf").splitlines()
        assert [line for line in main if "releasever" in line] == lines
        assert main[0] == "[main]"
        assert "gpgcheck=1" in main
        assert bakery.sh(BUILDER, "grep -c name=mine /etc/yum.conf").strip() == "1"
    assert bakery.sh(BUILDER, f"cat {LOCK_FILE} 2>/dev/null") == (
        "" if lock == "none" else "repo_upgrade: none\n"
    )


def test_amazon_linux_2_gets_no_updates_at_its_first_boot(bakery: Bakery) -> None:
    bakery.start(Row("amazon-linux-2"))
    assert locked(bakery, "amazon-linux-2", "2.0.2024") == 1
    assert bakery.sh(BUILDER, f"cat {LOCK_FILE} 2>/dev/null") == ""
    assert locked(bakery, "amazon-linux-2", "current") == 0
    assert bakery.sh(BUILDER, f"cat {LOCK_FILE}") == "repo_upgrade: none\n"


def test_a_platform_without_releases_refuses_one(bakery: Bakery) -> None:
    bakery.start(Row("ubuntu-24.04"))
    refused = bakery.prepare(Row("ubuntu-24.04"), "24.04.1")
    assert refused.status == "Failed"
    assert [step.name for step in refused.steps] == ["lock"]
    assert "ubuntu-24.04 cannot be locked to 24.04.1; use current or none" in (
        refused.steps[0].stderr
    )
    assert [locked(bakery, "ubuntu-24.04", lock) for lock in ("current", "none")] == [0, 0]


def test_a_tmp_without_execution_is_mended_and_nothing_else_changes(bakery: Bakery) -> None:
    bakery.start(Row("rhel-9"))
    fstab = (
        "# /tmp noexec\nLABEL=root  /  ext4  noexec,defaults  1 1\n"
        "tmpfs  /tmp  tmpfs  nodev,noexec,nosuid  0 0\ntmpfs\t/var/tmp\ttmpfs\tnoexec 0 0\n"
    )
    unit = "[Mount]\nWhat=tmpfs\nOptions=mode=1777,noexec,nosuid\n"
    root = bakery.room.root(BUILDER)
    (root / "etc/fstab").write_text(fstab)
    (root / "etc/systemd/system/tmp.mount.d").mkdir(parents=True)
    (root / "etc/systemd/system/tmp.mount").write_text(unit)
    (root / "etc/systemd/system/tmp.mount.d/site.conf").write_text("[Mount]\nOptions=noexec\n")
    bakery.sh(BUILDER, "printf '[Mount]\\nOptions=noexec\\n' >/usr/lib/systemd/system/tmp.mount")
    for _ in range(2):
        assert bakery.prepare(Row("rhel-9")).status == "Success"
        lines = (root / "etc/fstab").read_text().splitlines()
        before = fstab.splitlines()
        assert lines[2].split() == ["tmpfs", "/tmp", "tmpfs", "nodev,nosuid", "0", "0"]
        assert [*lines[:2], *lines[3:]] == [*before[:2], *before[3:]]
        assert (root / "etc/systemd/system/tmp.mount").read_text() == unit.replace(",noexec", "")
        assert (root / "etc/systemd/system/tmp.mount.d/site.conf").read_text().endswith("=exec\n")


@pytest.mark.parametrize(
    ("options", "mended"),
    [
        ("noexec", "defaults"),
        ("noexec,nodev", "nodev"),
        ("nodev,noexec", "nodev"),
        ("noexec,noexec,rw", "rw"),
        ("defaults", "defaults"),
        ("x-noexec,rw", "x-noexec,rw"),
    ],
)
def test_only_the_option_itself_leaves_the_line_of_tmp(
    room: Bakery, options: str, mended: str
) -> None:
    instance = room.shared(Row("rhel-9"))
    (room.room.root(instance) / "etc/fstab").write_text(f"tmpfs /tmp tmpfs {options} 0 0\n")
    room.prepare(Row("rhel-9"), instance=instance)
    assert room.sh(instance, "cat /etc/fstab") == f"tmpfs /tmp tmpfs {mended} 0 0\n"


def test_a_vendors_mount_of_tmp_is_overridden_and_never_changed(bakery: Bakery) -> None:
    bakery.start(Row("rhel-9"))
    vendor = "/usr/lib/systemd/system/tmp.mount"
    bakery.sh(
        BUILDER,
        f"mkdir -p /usr/lib/systemd/system; printf '[Mount]\\nOptions=a,noexec\\n' >{vendor}",
    )
    assert bakery.prepare(Row("rhel-9")).status == "Success"
    assert bakery.sh(BUILDER, f"cat {vendor}") == "[Mount]\nOptions=a,noexec\n"
    assert bakery.sh(BUILDER, "cat /etc/systemd/system/tmp.mount") == "[Mount]\nOptions=a\n"


@pytest.mark.parametrize(("platform", "kind"), [("ubuntu-22.04", "deb"), ("rhel-9", "rpm")])
def test_the_manifest_names_every_installed_package_once_and_in_order(
    bakery: Bakery, platform: str, kind: str
) -> None:
    bakery.start(Row(platform))
    printed = step_of(bakery.prepare(Row(platform)), "packages").stdout
    *rows, end = printed.splitlines()
    assert rows == sorted(set(rows))
    assert end == f"end\t{len(rows)}"
    found = {package.name: package for package in parse_packages(printed)}
    assert {"openssh-server", "cloud-init", "curl"} <= found.keys()
    assert {package.kind.value for package in found.values()} == {kind}
    assert all(package.version and package.architecture for package in found.values())


def test_a_marker_of_an_earlier_bake_does_not_vouch_for_this_one(bakery: Bakery) -> None:
    row = Row("ubuntu-22.04")
    bakery.start(row)
    bakery.sh(BUILDER, "printf 'BAKE=old\\nSEALED=2020\\n' >/etc/kiln-release")
    bakery.prepare(row)
    bakery.make_image("image")
    verified = bakery.verify(row, "image")
    assert "the clean-up did not end" in verified.leftovers[0]
