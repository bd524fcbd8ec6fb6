"""What a shell completes: names that are cheap to know. Nothing here asks AWS, or fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterable

SHELLS = ("bash", "zsh", "fish")


def platforms(
    _context: click.Context, _option: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The platforms."""
    from kiln.domain.platforms import PLATFORMS

    return _beginning(begun, PLATFORMS)


def blueprints(
    _context: click.Context, _argument: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Names of files in blueprints/; where none begins so, files as the shell knows them."""
    return _beginning(begun, _names("blueprints")) or [CompletionItem(begun, type="file")]


def blueprint_names(
    _context: click.Context, _argument: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Names of files in blueprints/."""
    return _beginning(begun, _names("blueprints"))


def layers(_context: click.Context, _argument: click.Parameter, begun: str) -> list[CompletionItem]:
    """stack/layer, as the files in stacks/ have them."""
    return _beginning(begun, _layers())


def _beginning(begun: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def _names(folder: str) -> list[str]:
    return sorted(path.stem for path in Path(folder).glob("*.yaml"))


def _layers() -> list[str]:
    from kiln.errors import Refused
    from kiln_cli.files import read_stack

    found: list[str] = []
    for path in sorted(Path("stacks").glob("*.yaml")):
        try:
            stack = read_stack(path).stack
        except Refused:
            # `kiln validate` says what is wrong with it.
            continue
        found += (f"{stack.name}/{layer.name}" for layer in stack.layers)
    return found
