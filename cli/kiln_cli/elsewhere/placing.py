"""Where stack and blueprint files go, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.imported import Imported
from kiln_cli.elsewhere.writing import file_text
from kiln_cli.files import LARGEST_FILE
from kiln_cli.printing import plain, progress
from kiln_cli.yaml12 import read_yaml


def place(
    files: Sequence[Imported], output: Path | None, force: bool, quiet: bool
) -> list[Path | None]:
    """Write every file, or print the only one; where each is. Nothing is written if one cannot
    be."""
    texts = [_text(one) for one in files]
    if output is None:
        if len(files) > 1 and not quiet:
            names = ", ".join(one.name for one in files[:20])
            raise InvalidRequest(
                f"there are several {_kind(files)}s: {names}; name a folder with -o"
            )
        if not quiet:
            click.echo(texts[0], nl=False)
        return [None] * len(files)
    paths = _paths(files, output)
    for path in paths:
        if path.exists() and not force:
            raise InvalidRequest(f"{path} is there already; --force writes over it")
    try:
        for path, text in zip(paths, texts, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{output} cannot be written: {error.strerror or error}") from error
    return list(paths)


def _kind(files: Sequence[Imported]) -> str:
    return str(files[0].document["kind"])


def _paths(files: Sequence[Imported], output: Path) -> list[Path]:
    if output.suffix not in (".yaml", ".yml"):
        return [output / f"{one.name}.yaml" for one in files]
    if len(files) > 1:
        kind = _kind(files)
        raise InvalidRequest(f"{output} is one file and there are several {kind}s; name a folder")
    return [output]


def _text(one: Imported) -> str:
    """The file, which must read back as what it was made from."""
    kind = one.document["kind"]
    head = [f"Imported from {one.origin}."]
    notes = [f"{word.capitalize()}: {line}" for word, line in one.notes.said()]
    text = file_text(one.document, head + notes)
    if len(text.encode()) > LARGEST_FILE:
        # The notes are on stderr too; without them it may do.
        text = file_text(one.document, head)
    if len(text.encode()) > LARGEST_FILE:
        raise InvalidRequest(
            f"{kind} {one.name} is larger than a {kind} file may be ({LARGEST_FILE // 1024} KiB); "
            + ("shorten its custom JSON" if kind == "stack" else "keep its scripts in S3")
        )
    if read_yaml(text) != one.document:
        raise InvalidRequest(f"{kind} {one.name} holds what no {kind} file can")
    return text


def tell(files: Sequence[Imported]) -> None:
    """What is to be filled in, was assumed and was left behind, on stderr."""
    for one in files:
        for word, line in one.notes.said():
            progress(f"{one.name}: {word}: {plain(line)}")
