"""An application put in place: from real git repositories, archives and objects, once, whole, and
never out of its folder."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from kiln_local.machines import StepRun
from kiln_local.machines.asking import Answer, nobody
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, parsed, text_of

ROW = Row("ubuntu-22.04")
PLACE = parsed(text_of("place-app"))
PATH = "/srv/shop"
REPOSITORY = "file:///srv/git/shop"
COMMIT = """
set -eu
mkdir -p /srv/git; cd /srv/git; export HOME=/root
[ -d shop ] || git init -q --template= shop
cd shop; git config user.name a; git config user.email a@example.org
mkdir -p bin; printf '#!/bin/sh\\necho %s\\n' "$1" >bin/shop; chmod 755 bin/shop
ln -sf shop bin/link
git add -A; git commit -q -m "$1"; git rev-parse HEAD
"""


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def git(revision: str, repository: str = REPOSITORY) -> dict[str, str]:
    """A source in git."""
    return {"type": "git", "repository": repository, "revision": revision}


class Machine:
    """An instance on which applications are put in place."""

    def __init__(self, bakery: Bakery, instance: str = BUILDER) -> None:
        self.bakery, self.instance = bakery, instance

    def place(self, source: dict[str, Any], path: str = PATH) -> StepRun:
        """Run the document."""
        text = json.dumps(source, sort_keys=True)
        run = self.bakery.run(self.instance, PLACE, Source=b64(text), Path=b64(path))
        return run.steps[0]

    def placed(self, source: dict[str, Any], path: str = PATH) -> str:
        """What it says; it must end well."""
        step = self.place(source, path)
        assert step.exit_code == 0, step
        return step.stdout

    def refused(self, source: dict[str, Any], path: str = PATH) -> str:
        """Why it fails, the last line of it."""
        step = self.place(source, path)
        assert step.exit_code != 0, step
        return step.stderr.splitlines()[-1]

    def sh(self, script: str) -> str:
        """What a shell prints there."""
        return self.bakery.sh(self.instance, script)

    def commit(self, text: str) -> str:
        """A new commit of the repository on this machine."""
        ended = self.bakery.room.enter(self.instance, ["sh", "-c", COMMIT, "sh", text])
        assert ended.exit_code == 0, ended
        return ended.stdout.decode().strip()

    def record(self, path: str = PATH) -> dict[str, str]:
        """What the machine knows of an application."""
        digest = hashlib.sha256(path.encode()).hexdigest()
        found: dict[str, str] = json.loads(self.sh(f"cat /etc/kiln/apps/{digest}.json"))
        return found

    def state(self, path: str = PATH) -> str:
        """Every file of the application and its record, with times and inodes."""
        return self.sh(f"find {path} /etc/kiln -printf '%p %i %T@ %C@ %m %u\\n' | sort")

    def archive(self, content: bytes, name: str = "a") -> str:
        """The URL of a file on this machine."""
        (self.bakery.room.root(self.instance) / "srv" / name).write_bytes(content)
        return f"http://127.0.0.1/srv/{name}"


@pytest.fixture
def machine(bakery: Bakery) -> Iterator[Machine]:
    bakery.start(ROW)
    made = Machine(bakery)
    bakery.room.answer = served_by(made)
    yield made
    bakery.room.answer = nobody


def served_by(machine: Machine) -> Any:
    """Answers for addresses as a web server on the instance's /srv would."""

    def answer(words: Sequence[str], _: bytes | None) -> Answer:
        file = machine.bakery.room.root(machine.instance) / words[-1].removeprefix(
            "http://127.0.0.1/"
        )
        return Answer(0, "", file.read_bytes()) if file.exists() else Answer(22, "curl: (22) 404\n")

    return answer


def http(machine: Machine, content: bytes, name: str = "a") -> dict[str, str]:
    """A source that is a file on the machine."""
    digest = hashlib.sha256(content).hexdigest()
    return {"type": "http", "url": machine.archive(content, name), "sha256": digest}


def test_a_branch_is_put_in_place_and_its_commit_recorded(machine: Machine) -> None:
    commit = machine.commit("one")
    assert machine.placed(git("master")) == f"app: placed {commit} of {REPOSITORY} at {PATH}\n"
    assert machine.sh(f"{PATH}/bin/link; ls -A {PATH}") == "one\nbin\n"
    assert machine.record() | {"placed": ""} == {
        "path": PATH,
        "type": "git",
        "source": REPOSITORY,
        "asked": "master",
        "revision": commit,
        "etag": "",
        "placed": "",
    }
    assert machine.sh(f"stat -c '%a %U' {PATH}; ls -A /srv") == "755 root\ngit\nshop\n"


@pytest.mark.parametrize("asked", ["master", "v1", "light", "commit"])
def test_a_revision_that_is_in_place_is_left_untouched(machine: Machine, asked: str) -> None:
    commit = machine.commit("one")
    machine.sh("cd /srv/git/shop; HOME=/root git tag -a -m x v1; git tag light")
    source = git(commit if asked == "commit" else asked)
    assert commit in machine.placed(source)
    before = machine.state()
    assert machine.placed(source) == f"app: already at {commit}: {PATH}\n"
    assert machine.placed(git(commit)) == f"app: already at {commit}: {PATH}\n"
    assert machine.state() == before


def test_a_newer_revision_replaces_the_whole_folder(machine: Machine) -> None:
    machine.commit("one")
    machine.placed(git("master"))
    machine.sh(f"touch {PATH}/stale")
    newer = machine.commit("two")
    assert newer in machine.placed(git("master"))
    assert machine.sh(f"{PATH}/bin/shop; ls -A {PATH} /srv") == (
        f"two\n/srv:\ngit\nshop\n\n{PATH}:\nbin\n"
    )


def test_an_older_commit_is_found_in_the_history(machine: Machine) -> None:
    first = machine.commit("one")
    machine.commit("two")
    assert first in machine.placed(git(first))
    assert machine.sh(f"{PATH}/bin/shop") == "one\n"


def test_a_failed_fetch_leaves_the_old_one_as_it_was(machine: Machine) -> None:
    commit = machine.commit("one")
    machine.placed(git("master"))
    before = machine.state()
    assert "no tag and no branch 'v9'" in machine.refused(git("v9"))
    assert "has no commit" in machine.refused(git("0" * 40))
    assert "cannot be read" in machine.refused(git("master", "file:///srv/git/none"))
    assert "there is no network here" in machine.place(git("v1", "https://h.example/a")).stderr
    assert machine.state() == before
    assert machine.record()["revision"] == commit
    assert machine.sh("ls -A /srv") == "git\nshop\n"


def test_a_folder_that_is_not_kilns_is_never_replaced(machine: Machine) -> None:
    machine.commit("one")
    machine.sh(f"mkdir -p {PATH} /srv/empty; echo mine >{PATH}/mine; ln -s /etc /srv/link")
    assert f"{PATH} is there and is not Kiln's" in machine.refused(git("master"))
    assert machine.sh(f"cat {PATH}/mine") == "mine\n"
    assert "is there and is no directory" in machine.refused(git("master"), "/srv/link")
    assert "placed" in machine.placed(git("master"), "/srv/empty")


def test_what_a_killed_run_left_is_mended(machine: Machine) -> None:
    commit = machine.commit("one")
    machine.placed(git("master"))
    machine.sh(f"mkdir {PATH}.kiln-place.abcdef; mv {PATH} {PATH}.kiln-place.abcdef/old")
    assert "cannot be read" in machine.refused(git("master", "file:///srv/git/none"))
    assert machine.sh(f"{PATH}/bin/shop; ls -A /srv") == "one\ngit\nshop\n"
    assert f"already at {commit}" in machine.placed(git("master"))


def test_another_repository_at_the_same_path_is_no_repeat(machine: Machine) -> None:
    commit = machine.commit("one")
    machine.placed(git("master"))
    machine.sh("cp -a /srv/git/shop /srv/git/other")
    said = machine.placed(git("master", "file:///srv/git/other"))
    assert said == f"app: placed {commit} of file:///srv/git/other at {PATH}\n"


def tarred(*members: tuple[str, str], kind: bytes = tarfile.REGTYPE, mode: str = "w:gz") -> bytes:
    """A tar archive of files, or of links with what they point at."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.mtime = kind, 0o4755, 1_700_000_000
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


@pytest.mark.parametrize(
    ("source", "path", "said"),
    [
        ({"type": "svn"}, PATH, "type 'svn' is none of s3, git, http"),
        ({"type": "git"}, PATH, "the source names no address"),
        (git("-x"), PATH, "begins with a dash"),
        (git("m", "--upload-pack=touch /srv/x"), PATH, "the address of the source is none"),
        (git("m", "https://me:pw@h.example/a"), PATH, "the address holds a credential"),
        ({"type": "http", "url": "https://h.example/a"}, PATH, "needs the sha256"),
        (git("m\\"), PATH, "is not a flat object of plain texts"),
        (git("m"), "/srv", "is not below a top-level directory"),
        (git("m"), "/srv/../etc", "is not a plain one"),
        (git("m"), "/run/shop", "is a place that the system or the clean-up empties"),
        (git("m"), '/srv/"x', "is not a plain one"),
    ],
)
def test_what_the_document_is_not_to_do_it_refuses_itself(
    machine: Machine, source: dict[str, str], path: str, said: str
) -> None:
    assert said in machine.refused(source, path)
    assert machine.sh("ls -A /srv") == ""


def test_a_credential_is_neither_printed_nor_recorded(machine: Machine) -> None:
    source = http(machine, tarred(("a", "x")))
    machine.archive(tarred(("a", "x")), "a?token=hunter2")
    source["url"] += "?token=hunter2"
    step = machine.place(source)
    assert step.exit_code == 0, step
    assert "hunter2" not in step.stdout + step.stderr + machine.sh("cat /etc/kiln/apps/*")


def test_a_deploy_of_the_same_revision_on_a_clone_touches_nothing(bakery: Bakery) -> None:
    bakery.start(ROW)
    builder = Machine(bakery)
    commit = builder.commit("one")
    builder.placed(git("master"))
    bakery.prepare(ROW)
    bakery.clean(ROW)
    bakery.make_image("with-app")
    verified = bakery.verify(ROW, "with-app")
    assert verified.leftovers == []
    clone = Machine(bakery, CLONE)
    before = clone.state()
    assert clone.placed(git("master")) == f"app: already at {commit}: {PATH}\n"
    assert clone.state() == before
    assert clone.record()["revision"] == commit
