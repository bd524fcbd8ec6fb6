"""A /tmp that can execute: only the option leaves, from only the line of /tmp."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiln_local.machines import StepRun
from tests.sandbox.bakery import BUILDER, DOCUMENTS, Bakery, Document, Row, step_of

pytestmark = pytest.mark.long

ALONE: Document = DOCUMENTS["prepare-linux"] | {
    "parameters": {},
    "mainSteps": [s for s in DOCUMENTS["prepare-linux"]["mainSteps"] if s["name"] == "temporary"],
}


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


@pytest.mark.parametrize("place", ["usr/lib/systemd/system", "run/systemd/system"])
def test_a_drop_in_of_a_vendor_is_masked_by_one_of_its_name(bakery: Bakery, place: str) -> None:
    bakery.start(Row("rhel-9"))
    text = "[Mount]\\nOptions = nosuid,noexec,size=1G\\n"
    bakery.sh(
        BUILDER, f"mkdir -p /{place}/tmp.mount.d; printf '{text}' >/{place}/tmp.mount.d/a.conf"
    )
    assert bakery.prepare(Row("rhel-9")).status == "Success"
    own = bakery.sh(BUILDER, "cat /etc/systemd/system/tmp.mount.d/a.conf")
    assert own == "[Mount]\nOptions = nosuid,size=1G\n"
    assert "noexec" in bakery.sh(BUILDER, f"cat /{place}/tmp.mount.d/a.conf")


def test_a_masked_tmp_mount_stays_masked(bakery: Bakery) -> None:
    bakery.start(Row("rhel-9"))
    bakery.sh(BUILDER, "ln -s /dev/null /etc/systemd/system/tmp.mount")
    assert bakery.prepare(Row("rhel-9")).status == "Success"
    assert bakery.sh(BUILDER, "readlink /etc/systemd/system/tmp.mount").strip() == "/dev/null"


WORDS = st.sampled_from(
    [
        *("noexec", "exec", "nosuid", "nodev", "rw", "user", "users", "mode=1777", "size=2G"),
        *("x-systemd.automount", "defaults", "x-noexec", "comment=noexec-was-here"),
    ]
)
BLANK = st.text(" \t", min_size=1, max_size=4)
OPTIONS = st.lists(WORDS, min_size=1, max_size=6).map(",".join)
POINTS = st.sampled_from(["/tmp", "/tmp/", "/var/tmp", "/tmp/inner", "/", "none", "/tmpfs"])
ENTRY = st.tuples(
    st.text(" \t", max_size=2),
    st.sampled_from(["tmpfs", "LABEL=a\\040b", "/dev/sda1", "#tmpfs", "# tmpfs"]),
    *(BLANK, POINTS, BLANK, st.sampled_from(["tmpfs", "ext4", "none"]), BLANK, OPTIONS),
    st.sampled_from(["", " 0 0", "\t0\t0", "  0 2 "]),
).map("".join)
LINES = st.lists(st.one_of(ENTRY, st.sampled_from(["", "# /tmp noexec", "  "])), max_size=6)


def refused(options: str) -> bool:
    """mount(8): the last of exec and noexec counts; user and users mean noexec."""
    result = False
    for word in options.split(","):
        result = word in ("noexec", "user", "users") or (result and word != "exec")
    return result


def mended(line: str) -> str:
    found = re.fullmatch(r"([ \t]*[^#\s]\S*[ \t]+/tmp/?[ \t]+\S+[ \t]+)(\S+)(.*)", line)
    if not found or not refused(found[2]):
        return line
    left = [word for word in found[2].split(",") if word != "noexec"]
    implied = ["exec"] if {"user", "users"} & set(left) else []
    return f"{found[1]}{','.join([*left, *implied]) or 'defaults'}{found[3]}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, end=st.sampled_from(["", "\n"]))
def test_of_any_fstab_nothing_but_the_option_changes(
    room: Bakery, lines: list[str], end: str
) -> None:
    instance = room.shared(Row("rhel-9"))
    fstab = room.room.root(instance) / "etc/fstab"
    text = "\n".join(lines) + (end if lines else "")
    for given_text in (text, "\n".join(map(mended, lines)) + (end if lines else "")):
        fstab.write_text(given_text)
        run = room.run(instance, ALONE)
        assert run.status == "Success", run
        assert fstab.read_text() == "\n".join(map(mended, lines)) + (end if lines else "")


UNMENDED: Document = DOCUMENTS["prepare-linux"] | {
    "mainSteps": [s for s in DOCUMENTS["prepare-linux"]["mainSteps"] if s["name"] != "temporary"],
}
UNIT = "usr/lib/systemd/system/tmp.mount"
OWN = "etc/systemd/system/tmp.mount"


def judged(bakery: Bakery, files: dict[str, str], prepare: Document) -> StepRun:
    """What the verification says of /tmp on a clone of a builder with these files."""
    row = Row("rhel-9")
    bakery.start(row)
    for name, text in files.items():
        target = f"/{name}"
        bakery.sh(BUILDER, f"mkdir -p {target.rpartition('/')[0]}; printf '{text}' >{target}")
    run = bakery.run(BUILDER, prepare, Platform=row.platform, ReleaseLock="none")
    assert run.status == "Success", run
    assert bakery.clean(row).status == "Success"
    bakery.make_image("temporary")
    return step_of(bakery.verify(row, "temporary").run, "temporary")


# How /tmp may be told not to execute: files of a builder, and the one that the verification names.
NOEXEC = [
    ({"etc/fstab": "tmpfs /tmp tmpfs nosuid,noexec 0 0\\n"}, "/etc/fstab"),
    ({"etc/fstab": "/dev/xvdf  /tmp/  ext4  users 0 0\\n"}, "/etc/fstab"),
    ({UNIT: "[Mount]\\nOptions=mode=1777,noexec\\n"}, f"/{UNIT}"),
    ({OWN: "[Mount]\\nOptions = noexec\\n"}, f"/{OWN}"),
    ({f"{OWN}.d/10-cis.conf": "[Mount]\\nOptions=nodev,noexec\\n"}, f"/{OWN}.d/10-cis.conf"),
    ({f"{UNIT}.d/x.conf": "[Mount]\\nOptions=noexec\\n"}, f"/{UNIT}.d/x.conf"),
]


@pytest.mark.parametrize(("files", "named"), NOEXEC)
def test_a_tmp_that_will_not_execute_after_a_boot_fails_the_image(
    bakery: Bakery, files: dict[str, str], named: str
) -> None:
    said = judged(bakery, files, UNMENDED)
    assert said.exit_code == 1
    assert f"{named}: /tmp is mounted noexec" in said.stdout


@pytest.mark.parametrize(
    "files",
    [
        *(files for files, _ in NOEXEC),
        {"etc/fstab": "tmpfs /var/tmp tmpfs noexec 0 0\\n# tmpfs /tmp tmpfs noexec 0 0\\n"},
        {"etc/fstab": "tmpfs /tmp tmpfs noexec,exec 0 0\\n"},
        {UNIT: "[Mount]\\nOptions=noexec\\n", OWN: "[Mount]\\nOptions=nosuid\\n"},
    ],
)
def test_a_tmp_that_was_mended_or_never_was_noexec_passes(
    bakery: Bakery, files: dict[str, str]
) -> None:
    said = judged(bakery, files, DOCUMENTS["prepare-linux"])
    assert (said.exit_code, said.stdout) == (0, "")
