"""The clean-up alone: what it refuses, keeps, survives and says."""

from __future__ import annotations

import pytest

from kiln.domain.cleanup import cleanup_for
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, step_of
from tests.sandbox.traces import OWN, plant, plant_own

UBUNTU = Row("ubuntu-22.04")


def test_a_second_run_finds_nothing_to_do_and_ends_well(bakery: Bakery) -> None:
    row = Row("ubuntu-18.04", "12", also_remove=("/opt/build",))
    bakery.start(row)
    plant(bakery.room.root(BUILDER), cleanup_for(row.platform, row.chef))
    plant_own(bakery.room.root(BUILDER))
    assert bakery.prepare(row).status == "Success"
    first, second = bakery.clean(row), bakery.clean(row)
    assert (first.status, second.status) == ("Success", "Success")
    assert "removed /etc/chef" in step_of(first, "paths").stdout
    assert not any("removed" in s.stdout for s in second.steps if s.name != "seal")
    bakery.make_image("image")
    assert bakery.verify(row, "image").run.status == "Success"
    assert (bakery.room.root(CLONE) / "etc/sudoers").read_text() == OWN["etc/sudoers"]


def test_services_and_packages_that_are_not_there_are_no_error(bakery: Bakery) -> None:
    plain = Row("rhel-7")
    bakery.start(plain)
    for chef in ("11", "12"):
        cleaned = bakery.clean(Row("rhel-7", chef))
        assert [step.exit_code for step in cleaned.steps] == [0] * 7


def test_a_users_own_chef_is_left_alone_where_opsworks_never_was(bakery: Bakery) -> None:
    bakery.start(UBUNTU)
    for name in ("etc/chef/client.rb", "var/chef/cache/x", "opt/chef/bin/chef-client"):
        path = bakery.room.root(BUILDER) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("the user's\n")
    assert bakery.clean(UBUNTU).status == "Success"
    assert (
        bakery.sh(BUILDER, "cat /etc/chef/* /var/chef/cache/x /opt/chef/bin/*").count("user") == 3
    )


def test_a_file_that_cannot_be_removed_is_named_and_ends_the_clean_up(bakery: Bakery) -> None:
    # The kernel's own files can be removed by nobody, root or a user in a namespace.
    row = Row("ubuntu-22.04", also_remove=("/opt/before", "/proc/version", "/opt/after"))
    bakery.start(row)
    bakery.sh(BUILDER, "touch /opt/before /opt/after")
    cleaned = bakery.clean(row)
    assert cleaned.status == "Failed"
    assert [step.name for step in cleaned.steps] == ["services", "paths"]
    paths = step_of(cleaned, "paths")
    assert paths.exit_code == 1
    assert "cannot remove /proc/version" in paths.stderr
    assert bakery.sh(BUILDER, "ls /opt; ls /etc/kiln-release; ls /etc/hostname").split() == [
        "/etc/hostname"
    ]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "//", "/etc", "/usr/", "/home//", "/.", "/..", "/./etc", "//etc"),
        *("etc/passwd", "../etc/passwd", "~/x", "$HOME/x", "*", ".", "; rm -rf /etc"),
        *("/opt/../etc/passwd", "/opt/..", "/opt/./x/.", "/opt//x", "$(touch /root/run)"),
    ],
)
@pytest.mark.parametrize("option", ["also_remove", "keep"])
def test_a_hostile_path_is_refused_before_anything_is_touched(
    room: Bakery, path: str, option: str
) -> None:
    instance = room.shared(UBUNTU)
    row = Row("ubuntu-22.04", **{option: ("/opt/fine", path)})
    cleaned = room.clean(row, instance=instance)
    assert [(step.name, step.exit_code) for step in cleaned.steps] == [("services", 1)]
    assert f"refused {path}: not " in cleaned.steps[0].stderr
    assert room.sh(instance, "ls /root/run; cat /etc/hostname").startswith("ip-10-0-0-10")


def test_odd_names_are_taken_as_they_are_and_nothing_in_them_is_run(bakery: Bakery) -> None:
    odd = (
        "/opt/$(touch /root/run)",
        "/opt/`touch /root/run`",
        "/opt/two words",
        "/opt/*",
        "/opt/'quoted\"",
        "/opt/-rf",
        "/opt/back\\slash",
        "/opt/{{ Platform }} $$ $HOME",
    )
    row = Row("ubuntu-22.04", also_remove=odd)
    bakery.start(row)
    root = bakery.room.root(BUILDER)
    spared = [root / "opt/two", root / "words", root / "opt/other", root / "opt/$HOME"]
    for name in odd:
        (root / name[1:]).mkdir(parents=True)
    for path in spared:
        path.write_text("stays\n")
    assert bakery.prepare(row).status == "Success"
    assert bakery.clean(row).status == "Success"
    assert [name for name in odd if (root / name[1:]).exists()] == []
    assert all(path.exists() for path in spared)
    assert not (root / "root/run").exists()
    bakery.make_image("image")
    assert bakery.verify(row, "image").run.status == "Success"


def test_an_odd_path_that_was_not_removed_is_found(bakery: Bakery) -> None:
    row = Row("ubuntu-22.04", also_remove=("/opt/two words", "/opt/*"))
    bakery.start(row)
    bakery.prepare(row)
    bakery.clean(Row("ubuntu-22.04"))
    bakery.sh(BUILDER, "mkdir -p '/opt/two words' '/opt/other'; touch '/opt/two words/file'")
    bakery.sh(BUILDER, "touch /etc/kiln-release")
    bakery.make_image("image")
    assert bakery.verify(row, "image").leftovers == ["/opt/two words"]


def test_what_is_to_be_kept_stays_with_what_leads_to_it(bakery: Bakery) -> None:
    kept = (
        "/var/lib/cloud/scripts/per-boot",
        "/home/ubuntu/.bash_history",
        "/var/log/web.log",
        "/tmp/cache/",
        "/opt/build/keep me",
    )
    row = Row("ubuntu-22.04", also_remove=("/opt/build",), keep=kept)
    bakery.start(row)
    root = bakery.room.root(BUILDER)
    files = (
        *("var/lib/cloud/scripts/per-boot/run", "home/ubuntu/.bash_history", "var/log/web.log"),
        *("opt/build/keep me/a", "opt/build/keep me/.b"),
    )
    gone = ("var/lib/cloud/scripts/per-once/run", "opt/build/other", "opt/build/.hidden")
    for name in (*files, *gone):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine\n")
    bakery.prepare(row)
    cleaned = bakery.clean(row)
    assert cleaned.status == "Success", cleaned
    assert "kept /opt/build/keep me" in step_of(cleaned, "paths").stdout
    bakery.make_image("image")
    verified = bakery.verify(row, "image")
    assert (verified.leftovers, verified.run.status) == ([], "Success")
    clone = bakery.room.root(CLONE)
    assert [(clone / name).read_text() for name in files] == ["mine\n"] * len(files)
    assert not any((clone / name).exists() for name in gone)


def test_the_image_says_which_bake_sealed_it(bakery: Bakery) -> None:
    bakery.start(UBUNTU)
    bakery.clean(UBUNTU)
    bakery.room.shut_down(BUILDER)
    release = (bakery.room.root(BUILDER) / "etc/kiln-release").read_text().splitlines()
    assert release[:4] == ["BAKE=b-1", "BLUEPRINT=b", 'CHEF="none"', 'RUNNING=""']
    assert release[4].startswith("SEALED=20")


@pytest.mark.parametrize("platform", ["amazon-linux-1", "ubuntu-14.04"])
def test_without_systemd_the_seal_removes_itself_and_its_workshop(
    bakery: Bakery, platform: str
) -> None:
    row = Row(platform)
    bakery.start(row)
    root = bakery.room.root(BUILDER)
    bakery.clean(row)
    assert [path.name[:3] for path in (root / "etc/rc0.d").iterdir()] == [
        "S00" if platform == "amazon-linux-1" else "S30"
    ]
    bakery.room.shut_down(BUILDER)
    assert list((root / "etc/rc0.d").iterdir()) == []
    assert not (root / "run/kiln").exists()
    assert "SEALED=" in (root / "etc/kiln-release").read_text()
