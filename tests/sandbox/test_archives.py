"""Applications in archives: checked, unpacked once, and never out of their folder."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from tests.sandbox.apps import PATH, Machine, http

pytestmark = pytest.mark.long


def tarred(*members: tuple[str, str], kind: bytes = tarfile.REGTYPE, mode: str = "w:gz") -> bytes:
    """A tar archive of files, or of links with what they point at."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mtime = kind, 1_700_000_000
            member.mode = 0o700 if kind == tarfile.DIRTYPE else 0o4755
            member.uid = member.gid = 1234
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content
            archive.addfile(member, io.BytesIO(content.encode()))
    return made.getvalue()


def zipped(*members: tuple[str, str]) -> bytes:
    """A zip archive of files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        tarred(("bin/shop", "one")),
        tarred(("bin/shop", "one"), mode="w"),
        tarred(("bin/shop", "one"), mode="w:xz"),
        zipped(("bin/shop", "one")),
    ],
    ids=["gz", "tar", "xz", "zip"],
)
def test_an_archive_is_fetched_checked_and_unpacked_once(machine: Machine, content: bytes) -> None:
    source = http(machine, content)
    assert f"placed sha256:{source['sha256']}" in machine.placed(source)
    assert machine.sh(f"cat {PATH}/bin/shop; stat -c %U {PATH}/bin/shop") == "oneroot\n"
    assert machine.sh(f"find {PATH} -perm /6000") == ""
    before = machine.state()
    machine.sh("rm /srv/a")
    assert "already at" in machine.placed(source)
    assert machine.state() == before


def test_the_folder_can_be_entered_whatever_the_archive_says_of_it(machine: Machine) -> None:
    machine.placed(http(machine, tarred(("./", ""), kind=tarfile.DIRTYPE)))
    assert machine.sh(f"stat -c '%a %U' {PATH}") == "755 root\n"


def test_a_tar_archive_whose_first_name_begins_as_a_zip_does_is_none(machine: Machine) -> None:
    machine.placed(http(machine, tarred(("PKG-INFO", "one"), mode="w")))
    assert machine.sh(f"cat {PATH}/PKG-INFO") == "one"


def test_an_archive_with_another_digest_is_refused(machine: Machine) -> None:
    source = http(machine, tarred(("a", "one")))
    machine.placed(source)
    before = machine.state()
    other = http(machine, tarred(("a", "two"))) | {"sha256": "0" * 64}
    assert "not 0000" in machine.refused(other)
    assert machine.state() == before


HOSTILE = {
    "absolute": tarred(("/srv/evil", "x")),
    "parent": tarred(("a/../../evil", "x")),
    "link out": tarred(("a", "/etc"), kind=tarfile.SYMTYPE),
    "link up": tarred(("a", "../git"), kind=tarfile.SYMTYPE),
    "hard link out": tarred(("a", "/etc/hostname"), kind=tarfile.LNKTYPE),
    "hard link up": tarred(("a", "../../etc/hostname"), kind=tarfile.LNKTYPE),
    "pipe": tarred(("a", ""), kind=tarfile.FIFOTYPE),
    "zip absolute": zipped(("/srv/evil", "x")),
    "zip parent": zipped(("../evil", "x")),
    "no archive": b"hello",
    "empty": b"",
    "half": tarred(("a", "x" * 9999), mode="w:gz")[:60],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_broken_archive_changes_nothing(machine: Machine, content: bytes) -> None:
    machine.placed(http(machine, tarred(("a", "good")), "good"))
    before = machine.state()
    said = machine.refused(http(machine, content))
    assert said.startswith("app: the ")
    assert machine.state() == before
    assert machine.sh("ls -A /srv") == "a\ngood\nshop\n"


def test_links_that_together_lead_out_are_refused(machine: Machine) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, target in (("d", "."), ("out", "d/../etc")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    assert "the link out leads out of it" in machine.refused(http(machine, made.getvalue()))


def test_a_file_cannot_be_written_through_a_link(machine: Machine) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        link = tarfile.TarInfo("d")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
        file = tarfile.TarInfo("d/evil")
        file.size = 1
        archive.addfile(file, io.BytesIO(b"x"))
    machine.refused(http(machine, made.getvalue()))
    assert machine.sh("ls /etc/evil 2>/dev/null") == ""


def test_a_credential_is_neither_printed_nor_recorded(machine: Machine) -> None:
    source = http(machine, tarred(("a", "x")))
    machine.archive(tarred(("a", "x")), "a?token=hunter2")
    source["url"] += "?token=hunter2"
    step = machine.place(source)
    assert step.exit_code == 0, step
    assert "hunter2" not in step.stdout + step.stderr + machine.sh("cat /etc/kiln/apps/*")
