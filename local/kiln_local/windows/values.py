"""PowerShell's values in Python, and its conversions between them.

Arrays are lists, numbers int or float, `$null` None. Objects with properties are `Bag`s, whose
names do not mind case, as those of hashtables do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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

    def restored(self) -> Callable[[], None]:
        """What makes it again as it is now."""
        before = dict(self._values)

        def back() -> None:
            self._values = before

        return back

    def keys(self) -> list[Any]:
        """Names as they were written."""
        return [name for name, _ in self._values.values()]


class _Unknown:
    """What a statement that was not run would have given. Whoever asks for it is not run either."""


UNKNOWN = _Unknown()


def known(value: Any) -> Any:
    """A value. Raises NotHere for one that comes from what was not run."""
    if value is UNKNOWN:
        raise NotHere("a value that comes from what was not run")
    return value


def text(value: Any) -> str:
    """As PowerShell makes a string of it."""
    if known(value) is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return _fraction(value)
    if isinstance(value, list):
        return " ".join(text(item) for item in value)
    if isinstance(value, datetime):
        return f"{value:%m/%d/%Y %H:%M:%S}"
    if isinstance(value, Bag):
        if value.kind == "hashtable":
            return "System.Collections.Hashtable"
        return text(value.get("FullName") or value.get("Name") or "")
    return str(value)


def _fraction(value: float) -> str:
    """Fifteen digits, as .NET Framework shows a double."""
    digits, e, power = f"{value:.15G}".partition("E")
    return f"{digits}E{power[0]}{power[1:].lstrip('0').rjust(2, '0')}" if e else digits


def truth(value: Any) -> bool:
    """As a condition sees it."""
    if isinstance(known(value), list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    if isinstance(value, (Bag, datetime)):
        return True
    return bool(value)


def number(value: Any) -> int | float:
    """A number. Raises ScriptError as a cast does."""
    if isinstance(value, (int, float)):
        return value
    found = text(value).strip()
    if not found:
        return 0
    try:
        return int(found, 16) if found.lstrip("+-")[:2].lower() == "0x" else _decimal(found)
    except ValueError as error:
        raise ScriptError(f'Cannot convert value "{found}" to type "System.Int32".') from error


def _decimal(found: str) -> int | float:
    if not found.isascii() or not found[-1].isdigit() or "_" in found:
        raise ValueError(found)
    return int(found) if found.lstrip("+-").isdigit() else float(found)


def items(value: Any) -> list[Any]:
    """What a pipeline or foreach sees of a value: an array's items, nothing of `$null`."""
    if known(value) is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def one(values: list[Any]) -> Any:
    """What a pipeline's output is as a value: nothing, the one thing, or an array."""
    if not values:
        return None
    if UNKNOWN in values:
        return UNKNOWN
    return values[0] if len(values) == 1 else values


def equal(left: Any, right: Any, case: bool = False) -> bool:
    """-eq for single values: text without case, the right side converted to the left's type."""
    if known(left) is None or known(right) is None:
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
    return folded(left, case) == folded(right, case)


def folded(value: Any, case: bool) -> str:
    """Text as it is compared."""
    return text(value) if case else text(value).lower()


def less(left: Any, right: Any, case: bool = False) -> bool:
    """-lt for single values."""
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left < right
    if isinstance(left, (int, float)) and not isinstance(left, bool):
        return left < number(right)
    return folded(left, case) < folded(right, case)


def add(left: Any, right: Any) -> Any:
    """`+`: arrays, hashtables, text and numbers, by the left side."""
    if known(left) is None:
        return known(right)
    if isinstance(left, list):
        return [*left, *items(right)] if isinstance(right, list) else [*left, right]
    if isinstance(left, str):
        return left + text(right)
    if isinstance(left, (int, float)):
        return left + number(right)
    if isinstance(left, Bag) and isinstance(right, Bag) and left.kind == "hashtable":
        if any(left.has(name) for name, _ in right.items()):
            raise ScriptError("Item has already been added: the same key is in both hashtables.")
        return Bag([*left.items(), *right.items()], "hashtable")
    raise NotHere(f"adding to {type(left).__name__}")
