"""Small files that want to be large, and strange ones: refused in one line or read, within two
seconds and 200 MB."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hostile.bombs import JSON, VALID, YAML
from tests.hostile.bombs_for_imports import BUILDER, HCL, LEGACY
from tests.hostile.limited import Ended, ended

KINDS = {
    "yaml": (YAML, ["validate"]),
    "json": (JSON, ["import", "opsworks"]),
    "hcl": (HCL, ["import", "packer"]),
    "legacy": (LEGACY, ["import", "packer"]),
    "builder": (BUILDER, ["import", "image-builder"]),
}
# The end of a file's name, where it tells what is in it.
ENDINGS = {"legacy": "json", "builder": "yaml"}
# Read as what they are.
WELL = {
    "yaml": (
        *("megabyte of breaks", "comments", "blanks", "mark in the middle", "carriage returns"),
        "line separators",
    ),
    "json": ("many instances", "name of another world", "surrogates", "nul"),
    "hcl": (
        *("around", "nul in a step", "name of another world", "script elsewhere"),
        *("a slow pattern", "some heredocs", "some steps"),
    ),
    "legacy": ("braces", "ticks", "far", "around", "steps", "surrogates", "nul"),
    "builder": (*("many steps", "steps", "words", "nul", "surrogate", "name of another world"),),
}
# One of each way to grow; `make long` has all.
SOME = {
    "yaml": ("laughs", "cycle", "pairs", "flow deep", "not utf-8", "key twice"),
    "json": ("mappings", "deep", "many instances", "huge int", "not utf-8", "key twice"),
    "hcl": ("numbers", "closed brackets", "doubling", "a build of all", "not utf-8", "key twice"),
    "legacy": ("doubling", "expressions", "many builders", "deep", "not utf-8", "key twice"),
    "builder": ("laughs in data", "much data", "many steps", "tags", "not utf-8", "key twice"),
}


def exploded(kind: str, names: list[str], folder: Path) -> dict[str, Ended]:
    """How the command of a kind ends for each of these bombs."""
    bombs, command = KINDS[kind]
    paths = {
        name: folder / f"{number}.{ENDINGS.get(kind, kind)}" for number, name in enumerate(names)
    }
    for name, path in paths.items():
        path.write_bytes(bombs[name]())
    found = ended([[*command, str(path)] for path in paths.values()])
    return dict(zip(paths, found, strict=True))


def check(kind: str, found: dict[str, Ended]) -> None:
    """Each is refused in one line, or read where it says what may be said."""
    for name, one in found.items():
        one.check()
        assert (one.status == 0) == (name in WELL[kind]), (name, one)
        if one.status:
            assert len(one.stderr.splitlines()) == 1, (name, one)
            assert one.stderr.startswith("kiln: "), (name, one)
            assert len(one.stderr) < 1_000, (name, one)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_would_grow_is_refused_in_time(kind: str, tmp_path: Path) -> None:
    check(kind, exploded(kind, list(SOME[kind]), tmp_path))


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_strange_file_is_refused_in_time(kind: str, tmp_path: Path) -> None:
    check(kind, exploded(kind, list(KINDS[kind][0]), tmp_path))


@pytest.mark.parametrize("command", [command for _, command in KINDS.values()], ids=KINDS)
def test_what_is_no_file_is_refused_and_not_waited_for(command: list[str], tmp_path: Path) -> None:
    pipe, sparse, folder = tmp_path / "pipe", tmp_path / "sparse", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    with sparse.open("wb") as file:
        file.truncate(2**30)
    around = tmp_path / "around"
    around.symlink_to(around)
    names = [pipe, sparse, folder, around, "/dev/zero", "/dev/full", tmp_path / "a\nb", "x" * 300]
    said = (
        *("is a pipe or a device", "is larger than", "is a folder", "cannot be read"),
        *("is a pipe or a device", "is a pipe or a device", "does not exist", "cannot be read"),
    )
    for name, words, one in zip(
        names, said, ended([[*command, str(name)] for name in names]), strict=True
    ):
        one.check()
        assert one.status == 2, (name, one)
        assert words in one.stderr, (name, one)
        assert len(one.stderr.splitlines()) == 1, (name, one)


def test_a_file_may_be_handed_over_by_a_shell() -> None:
    (one,) = ended([["validate", "/dev/stdin"]], VALID)
    assert one.status == 0, one
    assert "valid" in one.stdout


def test_a_letter_of_another_alphabet_is_told_by_its_number(tmp_path: Path) -> None:
    found = exploded("yaml", ["confusable"], tmp_path)
    assert "name: 'w\\u0435b' does not match" in found["confusable"].stderr
