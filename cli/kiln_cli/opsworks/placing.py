"""Where stack files go, and what is said about them."""

from __future__ import annotations

from pathlib import Path

import click

from kiln.errors import InvalidRequest
from kiln_cli.files import LARGEST_FILE
from kiln_cli.opsworks.convert import Imported
from kiln_cli.opsworks.notes import lines
from kiln_cli.opsworks.writing import stack_file
from kiln_cli.printing import plain, progress
from kiln_cli.yaml12 import read_yaml


def place(
    stacks: list[Imported], output: Path | None, force: bool, quiet: bool
) -> list[Path | None]:
    """Write every file, or print the only one; where each is. Nothing is written if one cannot
    be."""
    texts = [_text(stack) for stack in stacks]
    if output is None:
        if len(stacks) > 1 and not quiet:
            names = ", ".join(stack.name for stack in stacks)
            raise InvalidRequest(f"there are several stacks: {names}; name a folder with -o")
        if not quiet:
            click.echo(texts[0], nl=False)
        return [None] * len(stacks)
    paths = _paths(stacks, output)
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


def _paths(stacks: list[Imported], output: Path) -> list[Path]:
    if output.suffix not in (".yaml", ".yml"):
        return [output / f"{stack.name}.yaml" for stack in stacks]
    if len(stacks) > 1:
        raise InvalidRequest(f"{output} is one file and there are several stacks; name a folder")
    return [output]


def _text(stack: Imported) -> str:
    """The file, which must read back as what it was made from."""
    notes = stack.notes
    head = [f"Imported from OpsWorks's stack {stack.name}."]
    head += [f"Assumed: {line}" for line in lines(notes.assumed)]
    head += [f"Not carried over: {line}" for line in lines(notes.dropped)]
    text = stack_file(stack.document, head)
    if len(text.encode()) > LARGEST_FILE:
        # The notes are on stderr too; without them it may do.
        text = stack_file(stack.document, head[:1])
    if len(text.encode()) > LARGEST_FILE:
        raise InvalidRequest(
            f"stack {stack.name} is larger than a stack file may be ({LARGEST_FILE // 1024} KiB); "
            "shorten its custom JSON"
        )
    if read_yaml(text) != stack.document:
        raise InvalidRequest(f"stack {stack.name} holds what no stack file can")
    return text


def tell(stacks: list[Imported]) -> None:
    """What was assumed and what was left behind, on stderr."""
    for stack in stacks:
        for line in lines(stack.notes.assumed):
            progress(f"{stack.name}: assumed: {plain(line)}")
        for line in lines(stack.notes.dropped):
            progress(f"{stack.name}: not carried over: {plain(line)}")
