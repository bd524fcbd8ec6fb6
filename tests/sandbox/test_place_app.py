"""An application put in place: from real git repositories, once, whole, and nowhere else."""

from __future__ import annotations

import pytest

from tests.sandbox.apps import PATH, REPOSITORY, ROW, Machine, git
from tests.sandbox.bakery import CLONE, Bakery

pytestmark = pytest.mark.long


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
