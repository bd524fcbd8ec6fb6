"""Operators of expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln_local.windows import strings
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.scope import Variables
from kiln_local.windows.values import add, equal, items, less, number, text, truth


def _contains(left: Any, right: Any) -> bool:
    return any(equal(item, right) for item in items(left))


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": equal,
    "ne": lambda a, b: not equal(a, b),
    "lt": less,
    "ge": lambda a, b: not less(a, b),
    "gt": lambda a, b: less(b, a) if type(a) is type(b) else not less(a, b) and not equal(a, b),
    "le": lambda a, b: less(a, b) or equal(a, b),
    "like": lambda a, b: bool(strings.wildcard(text(b)).match(text(a))),
    "notlike": lambda a, b: not strings.wildcard(text(b)).match(text(a)),
}
_WHOLE: dict[str, Callable[[Any, Any], Any]] = {
    "contains": _contains,
    "notcontains": lambda a, b: not _contains(a, b),
    "in": lambda a, b: _contains(b, a),
    "notin": lambda a, b: not _contains(b, a),
    "join": lambda a, b: text(b).join(text(item) for item in items(a)),
}


def compare(left: Any, operator: str, right: Any, variables: Variables) -> Any:
    """One comparison; against an array it is a filter, as in PowerShell."""
    word = operator.lower().lstrip("-")
    case = word[:1] == "c" and word[1:] in (*_COMPARE, "match", "notmatch", "replace", "split")
    word = word[1:] if case or (word[:1] == "i" and word[1:] in (*_COMPARE, "match")) else word
    if word in _WHOLE:
        return _WHOLE[word](left, right)
    if word in ("match", "notmatch"):
        return _match(left, word, text(right), case, variables)
    if word == "replace":
        return strings.replaced(left, right, case)
    if word == "split":
        return strings.split(left, right, case)
    if word not in _COMPARE:
        raise NotHere(f"operator -{word}")
    if isinstance(left, list):
        return [item for item in left if _COMPARE[word](item, right)]
    return _COMPARE[word](left, right)


def _match(left: Any, word: str, pattern: str, case: bool, variables: Variables) -> Any:
    if isinstance(left, list):
        wanted = word == "match"
        return [item for item in left if strings.matched(item, pattern, case)[0] == wanted]
    found, groups = strings.matched(left, pattern, case)
    if groups is not None:
        variables.scope.set("Matches", groups)
    return found == (word == "match")


def arithmetic(left: Any, operator: str, right: Any) -> Any:
    """`+ - * / %`."""
    if operator == "+":
        return add(left, right)
    if operator == "*" and isinstance(left, str):
        return left * int(number(right))
    if operator == "*" and isinstance(left, list):
        return left * int(number(right))
    a, b = number(left), number(right)
    if operator in "/%" and b == 0:
        raise ScriptError("Attempted to divide by zero.")
    if operator == "/":
        quotient = a / b
        return int(quotient) if quotient == int(quotient) else quotient
    return {"-": a - b, "*": a * b, "%": a % b if b else 0}[operator]


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
