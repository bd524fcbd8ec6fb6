"""Values that stand in the script as they are: numbers, quoted text, types and plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from kiln_local.windows import strings
from kiln_local.windows.errors import NotHere
from kiln_local.windows.parsing import words

_FOLDS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}


def numeral(written: str) -> int | float:
    """A number as scripts write it, with a multiple of bytes behind it: `1kb`."""
    fold = _FOLDS.get(written[-2:].lower(), 1)
    bare = written[:-2] if fold > 1 else written
    try:
        if bare[:2].lower() == "0x":
            return int(bare, 16) * fold
        return (int(bare) if bare.isdigit() else float(bare)) * fold
    except ValueError:
        raise NotHere(f"the number {written}") from None


KINDS: dict[str, Callable[[str], Any]] = {
    "verbatim_string_characters": strings.verbatim,
    "decimal_integer_literal": numeral,
    "hexadecimal_integer_literal": numeral,
    "real_literal": numeral,
    "type_literal": lambda written: written[1:-1],
}


def value(node: Node) -> Any:
    """The value of a node of one of these kinds."""
    return KINDS[node.type](words(node))
