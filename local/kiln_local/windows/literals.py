"""Values that stand in the script as they are: numbers, quoted text, types and plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from kiln_local.windows import strings
from kiln_local.windows.parsing import words

KINDS: dict[str, Callable[[str], Any]] = {
    "verbatim_string_characters": strings.verbatim,
    "decimal_integer_literal": int,
    "hexadecimal_integer_literal": lambda written: int(written, 16),
    "real_literal": float,
    "type_literal": lambda written: written[1:-1],
    "generic_token": str,
    "command_token": str,
    "command_argument": str,
}


def value(node: Node) -> Any:
    """The value of a node of one of these kinds."""
    return KINDS[node.type](words(node))
