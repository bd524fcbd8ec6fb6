"""Operators of expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kiln_local.windows import casts, strings
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.scope import Variables
from kiln_local.windows.values import add, equal, items, less, number, text, truth


def _contains(left: Any, right: Any, case: bool) -> bool:
    return any(equal(item, right, case) for item in items(left))


def _like(value: Any, pattern: Any, case: bool) -> bool:
    return bool(strings.wildcard(text(pattern), case).match(text(value)))


def _greater(a: Any, b: Any, case: bool) -> bool:
    return not less(a, b, case) and not equal(a, b, case)


# Each of an array's items; the last argument says whether case matters.
_COMPARE: dict[str, Callable[[Any, Any, bool], bool]] = {
    "eq": equal,
    "ne": lambda a, b, c: not equal(a, b, c),
    "lt": less,
    "ge": lambda a, b, c: not less(a, b, c),
    "gt": _greater,
    "le": lambda a, b, c: not _greater(a, b, c),
    "like": _like,
    "notlike": lambda a, b, c: not _like(a, b, c),
}
_WHOLE: dict[str, Callable[[Any, Any, bool], Any]] = {
    "contains": _contains,
    "notcontains": lambda a, b, c: not _contains(a, b, c),
    "in": lambda a, b, c: _contains(b, a, c),
    "notin": lambda a, b, c: not _contains(b, a, c),
    "replace": strings.replaced,
    "split": strings.split,
}
_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "join": lambda a, b: text(b).join(text(item) for item in items(a)),
    "is": casts.is_of,
    "isnot": lambda a, b: not casts.is_of(a, b),
}
# What a script's values may hold here.
_MOST = 1_000_000
_CASED = (*_COMPARE, *_WHOLE, "match", "notmatch")
_BITS: dict[str, Callable[[int, int], int]] = {
    "-band": lambda a, b: a & b,
    "-bor": lambda a, b: a | b,
    "-bxor": lambda a, b: a ^ b,
}


def compare(left: Any, operator: str, right: Any, variables: Variables) -> Any:
    """One comparison; against an array it is a filter, as in PowerShell."""
    word = operator.lower().lstrip("-")
    case = word[:1] == "c" and word[1:] in _CASED
    word = word[1:] if case or (word[:1] == "i" and word[1:] in _CASED) else word
    if word in _PLAIN:
        return _PLAIN[word](left, right)
    if word in _WHOLE:
        return _WHOLE[word](left, right, case)
    if word in ("match", "notmatch"):
        return _match(left, word, text(right), case, variables)
    if word not in _COMPARE:
        raise NotHere(f"operator -{word}")
    if isinstance(left, list):
        return [item for item in left if _COMPARE[word](item, right, case)]
    return _COMPARE[word](left, right, case)


def _match(left: Any, word: str, pattern: str, case: bool, variables: Variables) -> Any:
    if isinstance(left, list):
        wanted = word == "match"
        return [item for item in left if strings.matched(item, pattern, case)[0] == wanted]
    found, groups = strings.matched(left, pattern, case)
    if groups is not None:
        variables.scope.set("Matches", groups)
    return found == (word == "match")


def numbers(low: int, high: int) -> list[int]:
    """`low..high`, downwards too."""
    if abs(high - low) > _MOST:
        raise NotHere("a range of so many numbers")
    return list(range(low, high + 1) if low <= high else range(low, high - 1, -1))


def arithmetic(left: Any, operator: str, right: Any) -> Any:
    """`+ - * / %` and the bits."""
    if operator == "+":
        return add(left, right)
    if operator == "*" and isinstance(left, (str, list)):
        times = casts.whole(right)
        if times * len(left) > _MOST:
            raise NotHere("so large a value")
        return left * times
    if operator.lower() in _BITS:
        return _BITS[operator.lower()](casts.whole(left), casts.whole(right))
    if operator in ("/", "%"):
        return _divided(number(left), operator, number(right))
    if operator == "*":
        return number(left) * number(right)
    if operator == "-":
        return number(left) - number(right)
    raise NotHere(f"operator {operator}")


def _divided(a: float, operator: str, b: float) -> int | float:
    """A whole quotient is a whole number; a remainder has the sign of the left side."""
    if b == 0:
        raise ScriptError("Attempted to divide by zero.")
    if operator == "%":
        rest = math.fmod(a, b)
        return int(rest) if isinstance(a, int) and isinstance(b, int) else rest
    quotient = a / b
    return int(quotient) if isinstance(a, int) and quotient == int(quotient) else quotient


def unary(operator: str, value: Any) -> Any:
    """`-not`, `!`, `-`, `+`, and the unary forms of -split and -join."""
    word = operator.lower()
    if word in ("-not", "!"):
        return not truth(value)
    if word == "-":
        return -number(value)
    if word == "+":
        return number(value)
    if word == "-join":
        return "".join(text(item) for item in items(value))
    if word == "-split":
        return [part for item in items(value) for part in text(item).split()]
    if word == ",":
        return [value]
    raise NotHere(f"operator {operator}")
