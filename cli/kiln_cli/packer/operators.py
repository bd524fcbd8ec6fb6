"""What HCL2's operators make of two values; None where that is not known."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from kiln_cli.elsewhere.values import Open

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_LARGEST = 2**53


def operate(sign: str, left: Any, right: Any) -> Any:
    """A number or a flag, None for what only Packer could tell."""
    if sign in ("&&", "||"):
        decides = sign == "||"
        if decides in (left, right) and (left is decides or right is decides):
            return decides
        return not decides if left is right is not decides else None
    if isinstance(left, Open) or isinstance(right, Open):
        return None
    if sign in ("==", "!="):
        return (left == right and _kind(left) == _kind(right)) == (sign == "==")
    if _kind(left) != "number" or _kind(right) != "number" or (right == 0 and sign in "/%"):
        return None
    found = _NUMBERS[sign](left, right) if sign in _NUMBERS else None
    if isinstance(found, float) and found.is_integer() and abs(found) < _LARGEST:
        return int(found)
    return (
        found if isinstance(found, bool) or (found is not None and abs(found) < _LARGEST) else None
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float) else type(value).__name__
