"""Where in a file a mistake is: line and column of what a message is about.

A message begins with the path of a key (`builder.volume.size: ...`). The text is read into nodes
once more, only for a file that is wrong, and the path is followed as far as the file goes with it:
to the key that is not known, to the value that is not allowed, to the mapping that lacks a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from kiln_cli.yaml12 import compose

_PLACED = re.compile(r"line \d+")
# After the file's name.
_SAID = re.compile(r": line (?P<line>\d+)(, column (?P<column>\d+))?:")


@dataclass(frozen=True)
class Place:
    """A place in a text, both counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


def place_of(text: str, message: str) -> Place | None:
    """What a message is about; None where it is about the whole file, or says a place itself."""
    if _PLACED.match(message):
        return None
    root = compose(text)
    mark = _follow(root, message) if root is not None else None
    return Place(mark.line + 1, mark.column + 1) if mark else None


def said_place(message: str) -> tuple[int | None, int | None]:
    """The line and column that a message about a file tells, None where it tells none."""
    found = _SAID.search(message)
    if not found:
        return None, None
    return int(found["line"]), int(found["column"]) if found["column"] else None


def _follow(node: yaml.Node, message: str) -> yaml.Mark | None:
    """The mark of the last part of the path that the file has."""
    mark: yaml.Mark | None = None
    left = message
    while True:
        step = _step(node, left)
        if step is None:
            return mark
        mark, node, left = step
        if left.startswith(":"):
            # The path ends here: a value that is wrong, rather than its key.
            return mark if " not a known key" in left[:30] else _value(node, mark)
        left = left[1:]


def _value(node: yaml.Node, mark: yaml.Mark) -> yaml.Mark:
    """A value on the line of its key, else the key: a block begins where its first key does."""
    return node.start_mark if node.start_mark.line == mark.line else mark


def _step(node: yaml.Node, path: str) -> tuple[yaml.Mark, yaml.Node, str] | None:
    """The child that a path begins with: its mark, itself, the rest of the path."""
    if isinstance(node, yaml.MappingNode):
        for key, value in sorted(node.value, key=lambda pair: -len(str(pair[0].value))):
            name = str(key.value)
            if path.startswith((f"{name}.", f"{name}:")):
                return key.start_mark, value, path[len(name) :]
    if isinstance(node, yaml.SequenceNode):
        found = re.match(r"(\d+)[.:]", path)
        if found and int(found[1]) < len(node.value):
            item = node.value[int(found[1])]
            return item.start_mark, item, path[len(found[1]) :]
    return None
