"""PowerShell source to a syntax tree, by the tree-sitter grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from kiln_local.windows.errors import NotHere, ScriptError

_COMMENT = re.compile(r"<#.*?#>|#[^\n]*", re.DOTALL)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def parse(source: str) -> Node:
    """The program. Raises ScriptError with line and column of what is no PowerShell."""
    if not _COMMENT.sub("", source).strip():
        # The grammar wants a statement.
        source = ";"
    root = _parser().parse(source.encode()).root_node
    wrong = next(faults(root), None)
    if wrong is not None:
        line, column = wrong.start_point
        said = words(wrong).splitlines()[0][:80] if words(wrong) else "something is missing"
        raise ScriptError(f"At line:{line + 1} char:{column + 1}: unexpected: {said}")
    return root


def faults(node: Node) -> Iterator[Node]:
    """Nodes that the grammar could not make sense of."""
    if node.type == "command_argument_sep":
        # Bare words with a comma between, `a,b`: it misses a blank there.
        return
    if node.type == "ERROR" or node.is_missing:
        yield node
        return
    if node.has_error:
        for child in node.children:
            yield from faults(child)


def words(node: Any) -> str:
    """A node's source."""
    return str((node.text or b"").decode())


def named(node: Node, *types: str) -> list[Node]:
    """Named children, of some types only."""
    return [c for c in node.named_children if not types or c.type in types]


def child(node: Node, *types: str) -> Node | None:
    """The first child of a type."""
    return next(iter(named(node, *types)), None)


def need(node: Node, kind: str) -> Node:
    """The first child of a type, which must be there."""
    found = child(node, kind)
    if found is None:
        raise NotHere(f"{node.type} without {kind}")
    return found


def field(node: Node, name: str) -> Node | None:
    """A child by the name that the grammar gives it."""
    return node.child_by_field_name(name)
