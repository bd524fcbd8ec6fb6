"""`[type]value`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kiln_local.windows import xml
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import Bag, items, number, text, truth

_MOST = {"int": 2**31, "int32": 2**31, "long": 2**63, "int64": 2**63}


def bare(kind: str) -> str:
    """A type's name without `System.`."""
    return kind.lower().removeprefix("system.")


def whole(value: Any, kind: str = "int") -> int:
    """A whole number; halves go to the even neighbour. Raises ScriptError where it does not fit."""
    found = round(number(value))
    if not -_MOST[kind] <= found < _MOST[kind]:
        raise ScriptError(f'Cannot convert value "{text(value)}" to type "System.{kind.title()}".')
    return found


def cast(kind: str, value: Any) -> Any:
    """A value as a type has it. Raises ScriptError, or NotHere for a type that is not known."""
    word = bare(kind)
    if word in _MOST:
        return whole(value, word)
    if word in _SIMPLE:
        return _SIMPLE[word](value)
    if word.endswith("[]") and word[:-2] in (*_SIMPLE, *_MOST):
        return [cast(word[:-2], item) for item in items(value)]
    if word in ("xml", "xml.xmldocument"):
        return value if isinstance(value, xml.Element) else xml.parse(text(value))
    if word in ("pscustomobject", "psobject") and isinstance(value, Bag):
        return Bag(value.items())
    if word in ("ordered", "hashtable") and isinstance(value, Bag):
        return value
    if word == "void":
        return None
    raise NotHere(f"type [{kind}]")


_SIMPLE: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "double": lambda v: float(number(v)),
    "object": lambda v: v,
    **dict.fromkeys(("bool", "boolean", "switch", "switchparameter"), truth),
    "array": items,
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    **dict.fromkeys(("int", "int32"), lambda v: type(v) is int and abs(v) < 2**31),
    **dict.fromkeys(("bool", "boolean"), lambda v: isinstance(v, bool)),
    "double": lambda v: isinstance(v, float),
    **dict.fromkeys(("array", "object[]"), lambda v: isinstance(v, list)),
    "hashtable": lambda v: isinstance(v, Bag) and v.kind == "hashtable",
    "datetime": lambda v: isinstance(v, datetime),
}


def is_of(value: Any, kind: Any) -> bool:
    """`-is`."""
    word = bare(text(kind).strip("[]") if text(kind)[-2:] != "[]" else text(kind))
    if word not in _TYPES:
        raise NotHere(f"-is [{word}]")
    return _TYPES[word](value)
