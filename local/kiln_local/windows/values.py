"""PowerShell's values in Python, and its conversions between them.

Arrays are lists, numbers int or float, `$null` None. Objects with properties are `Bag`s, whose
names do not mind case, as those of hashtables do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError


class Bag:
    """A hashtable or an object: properties in order, case-insensitive by name. `kind` is
    `hashtable`, `object`, or what a cmdlet has made."""

    def __init__(self, values: Iterable[tuple[str, Any]] = (), kind: str = "object") -> None:
        self.kind = kind
        self._values: dict[str, tuple[Any, Any]] = {}
        for name, value in values:
            self.set(name, value)

    def set(self, name: Any, value: Any) -> None:
        """Set a property."""
        key = str(name).lower()
        shown = self._values[key][0] if key in self._values else name
        self._values[key] = (shown, value)

    def get(self, name: Any) -> Any:
        """A property, None where there is none."""
        return self._values.get(str(name).lower(), (None, None))[1]

    def has(self, name: Any) -> bool:
        """Whether there is such a property."""
        return str(name).lower() in self._values

    def drop(self, name: Any) -> None:
        """Remove a property."""
        self._values.pop(str(name).lower(), None)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Names as they were written, with values."""
        return iter(list(self._values.values()))

    def keys(self) -> list[Any]:
        """Names as they were written."""
        return [name for name, _ in self._values.values()]


def text(value: Any) -> str:
    """As PowerShell makes a string of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list):
        return " ".join(text(item) for item in value)
    if isinstance(value, datetime):
        return f"{value:%m/%d/%Y %H:%M:%S}"
    if isinstance(value, Bag):
        if value.kind == "hashtable":
            return "System.Collections.Hashtable"
        return text(value.get("FullName") or value.get("Name") or "")
    return str(value)


def truth(value: Any) -> bool:
    """As a condition sees it."""
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    if isinstance(value, (Bag, datetime)):
        return True
    return bool(value)


def number(value: Any) -> int | float:
    """A number. Raises ScriptError as a cast does."""
    if isinstance(value, (int, float)):
        return value
    if value is None:
        return 0
    found = text(value).strip()
    try:
        return (
            int(found, 0)
            if not found or found.lstrip("+-")[:2].lower() == "0x"
            else _decimal(found)
        )
    except ValueError as error:
        raise ScriptError(f'Cannot convert value "{found}" to type "System.Int32".') from error


def _decimal(found: str) -> int | float:
    value = float(found)
    return int(found) if found.lstrip("+-").isdigit() else value


def items(value: Any) -> list[Any]:
    """What a pipeline or foreach sees of a value: an array's items, nothing of `$null`."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def one(values: list[Any]) -> Any:
    """What a pipeline's output is as a value: nothing, the one thing, or an array."""
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def equal(left: Any, right: Any) -> bool:
    """-eq for single values: text without case, the right side converted to the left's type."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        return left == truth(right)
    if isinstance(left, (int, float)):
        try:
            return left == number(right)
        except ScriptError:
            return False
    if isinstance(left, (Bag, datetime)):
        return bool(left is right or left == right)
    return text(left).lower() == text(right).lower()


def less(left: Any, right: Any) -> bool:
    """-lt for single values."""
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left < right
    if isinstance(left, (int, float)) and not isinstance(left, bool):
        return left < number(right)
    return text(left).lower() < text(right).lower()


def add(left: Any, right: Any) -> Any:
    """`+`: arrays, hashtables, text and numbers, by the left side."""
    if left is None:
        return right
    if isinstance(left, list):
        return [*left, *items(right)] if isinstance(right, list) else [*left, right]
    if isinstance(left, str):
        return left + text(right)
    if isinstance(left, (int, float)):
        return left + number(right)
    if isinstance(left, Bag) and isinstance(right, Bag):
        return Bag([*left.items(), *right.items()], "hashtable")
    raise NotHere(f"adding to {type(left).__name__}")
