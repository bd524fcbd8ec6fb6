"""Properties, methods and elements of values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kiln_local.windows import formats, xml
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.journal import Journal
from kiln_local.windows.values import Bag, items, known, number, one, text


def get(owner: Any, name: str, strict: bool = False) -> Any:
    """A property; of an array, each item's."""
    word = name.lower()
    if isinstance(known(owner), list):
        if word in ("count", "length"):
            return len(owner)
        return one([value for item in owner for value in items(get(item, name, strict))])
    if isinstance(owner, xml.Element):
        return xml.get(owner, name)
    if isinstance(owner, Bag):
        return _of_bag(owner, name, strict)
    if word == "length" and isinstance(owner, str):
        return len(owner)
    if word == "count":
        return 0 if owner is None else 1
    if isinstance(owner, datetime):
        return _of_time(owner, word)
    if owner is None:
        if strict:
            raise ScriptError(f"The property '{name}' cannot be found on this object.")
        return None
    raise NotHere(f"property {name} of {type(owner).__name__}")


def _of_bag(owner: Bag, name: str, strict: bool) -> Any:
    if owner.has(name):
        return owner.get(name)
    word = name.lower()
    if word == "psobject":
        properties = [Bag([("Name", k), ("Value", v)]) for k, v in owner.items()]
        return Bag([("Properties", properties)])
    if word == "keys":
        return owner.keys()
    if word == "values":
        return [value for _, value in owner.items()]
    if word == "count":
        return len(owner.keys()) if owner.kind == "hashtable" else 1
    if owner.kind not in ("hashtable", "object"):
        raise NotHere(f"property {name} of a {owner.kind}")
    if strict and owner.kind == "object":
        raise ScriptError(f"The property '{name}' cannot be found on this object.")
    return None


def _of_time(owner: datetime, word: str) -> Any:
    if word in ("year", "month", "day", "hour", "minute", "second"):
        return getattr(owner, word)
    raise NotHere(f"property {word} of a time")


def put(owner: Any, name: str, value: Any) -> None:
    """Set a property."""
    if isinstance(owner, xml.Element):
        xml.put(owner, name, text(value))
    elif isinstance(owner, Bag):
        if owner.kind == "object" and not owner.has(name):
            raise ScriptError(f"The property '{name}' cannot be found on this object.")
        if owner.kind not in ("hashtable", "object"):
            raise NotHere(f"setting {name} of a {owner.kind}")
        owner.set(name, value)
    else:
        raise NotHere(f"setting {name} of {type(owner).__name__}")


def element(owner: Any, index: Any) -> Any:
    """`owner[index]`: outside of an array is nothing."""
    if isinstance(index, list):
        return [element(owner, item) for item in index]
    if known(owner) is None:
        raise ScriptError("Cannot index into a null array.")
    if isinstance(owner, Bag) and owner.kind == "hashtable":
        return owner.get(text(index))
    found = owner if isinstance(owner, (list, str)) else [owner]
    place = _place(index)
    return found[place] if -len(found) <= place < len(found) else None


def _place(index: Any) -> int:
    if isinstance(index, str) and not index.lstrip("-").isdigit():
        raise NotHere(f"the element {index} of an array")
    return round(number(index))


def put_element(owner: Any, index: Any, value: Any) -> None:
    """Set an element."""
    if isinstance(owner, Bag) and owner.kind == "hashtable":
        owner.set(text(index), value)
    elif isinstance(owner, list):
        place = _place(index)
        if not -len(owner) <= place < len(owner):
            raise ScriptError("Index was outside the bounds of the array: it is out of range.")
        owner[place] = value
    else:
        raise NotHere(f"setting an element of {type(owner).__name__}")


def keep(owner: Any, journal: Journal) -> None:
    """A value is about to change in place."""
    if isinstance(owner, Bag):
        journal.note(owner.restored())
    elif isinstance(owner, list):
        before = list(owner)

        def back() -> None:
            owner[:] = before

        journal.note(back)
    elif isinstance(owner, xml.Element):
        journal.note(owner.restored())


def call(owner: Any, name: str, given: list[Any], machine: Any) -> Any:
    """A method."""
    word = name.lower()
    if known(owner) is None:
        raise ScriptError("You cannot call a method on a null-valued expression.")
    if isinstance(owner, xml.Element):
        return xml.call(owner, word, given, machine)
    if isinstance(owner, str) and word in _OF_TEXT:
        least, most, work = _OF_TEXT[word]
        return work(owner, counted(name, given, least, most))
    if isinstance(owner, datetime):
        return _call_time(owner, word, given)
    if isinstance(owner, Bag):
        return _call_bag(owner, word, given)
    if word == "tostring" and not given and not isinstance(owner, list):
        return text(owner)
    raise NotHere(f"method {name} of {type(owner).__name__}")


def counted(name: str, given: list[Any], least: int, most: int) -> list[Any]:
    """A method's arguments. Raises ScriptError for too few or too many."""
    if not least <= len(given) <= most:
        raise ScriptError(f'Cannot find an overload for "{name}": {len(given)} arguments.')
    return given


def _call_bag(owner: Bag, word: str, given: list[Any]) -> Any:
    if owner.kind == "hashtable" and word in _OF_TABLE:
        most, work = _OF_TABLE[word]
        return work(owner, counted(word, given, most, most))
    if owner.kind in _OF_MADE and word in _OF_MADE[owner.kind] and owner.has(word):
        return owner.get(word)(*counted(word, given, *_OF_MADE[owner.kind][word]))
    if word == "tostring" and owner.has("text"):
        return owner.get("text")(*counted(word, given, 0, 1))
    raise NotHere(f"method {word} of a {owner.kind}")


def _entry(name: Any, value: Any) -> Bag:
    return Bag([("Name", name), ("Key", name), ("Value", value)], "entry")


def _add(owner: Bag, given: list[Any]) -> None:
    if owner.has(text(given[0])):
        raise ScriptError("Item has already been added.")
    owner.set(text(given[0]), given[1])


def _call_time(owner: datetime, word: str, given: list[Any]) -> Any:
    if word == "touniversaltime":
        return owner.astimezone(UTC)
    if word == "tostring" and len(given) == 1:
        return formats.of_time(owner, text(given[0]))
    raise NotHere(f"method {word} of a time")


def _cut(owner: str, given: list[Any]) -> str:
    start = int(number(given[0]))
    length = int(number(given[1])) if len(given) > 1 else len(owner) - start
    if not 0 <= start <= start + length <= len(owner):
        raise ScriptError("startIndex and length must refer to a location within the string.")
    return owner[start : start + length]


def _characters(given: list[Any]) -> str | None:
    return "".join(text(item) for value in given for item in items(value)) or None


def _split(owner: str, given: list[Any]) -> list[str]:
    """Any of the characters divides, in .NET Framework."""
    among = _characters(given)
    return re.split(f"[{re.escape(among)}]" if among else r"\s", owner)


_Work = Callable[[str, list[Any]], Any]
# The fewest and the most arguments.
_OF_TEXT: dict[str, tuple[int, int, _Work]] = {
    "trim": (0, 9, lambda s, g: s.strip(_characters(g))),
    "trimend": (0, 9, lambda s, g: s.rstrip(_characters(g))),
    "trimstart": (0, 9, lambda s, g: s.lstrip(_characters(g))),
    "tolower": (0, 0, lambda s, _: s.lower()),
    "toupper": (0, 0, lambda s, _: s.upper()),
    "replace": (2, 2, lambda s, g: s.replace(text(g[0]), text(g[1]))),
    "contains": (1, 1, lambda s, g: text(g[0]) in s),
    "startswith": (1, 1, lambda s, g: s.startswith(text(g[0]))),
    "endswith": (1, 1, lambda s, g: s.endswith(text(g[0]))),
    "indexof": (1, 1, lambda s, g: s.find(text(g[0]))),
    "substring": (1, 2, _cut),
    "split": (0, 1, _split),
    "tostring": (0, 0, lambda s, _: s),
}
# Of what New-Object and static methods make.
_OF_MADE: dict[str, dict[str, tuple[int, int]]] = {
    "hash": {"computehash": (1, 1)},
    "encoding": {"getstring": (1, 3), "getbytes": (1, 1)},
    "stream": {"copyto": (1, 1), "toarray": (0, 0)},
    "mutex": {"waitone": (0, 0), "releasemutex": (0, 0)},
    "stderr": {"writeline": (1, 1)},
}
_OF_TABLE: dict[str, tuple[int, Callable[[Bag, list[Any]], Any]]] = {
    "containskey": (1, lambda b, g: b.has(text(g[0]))),
    "contains": (1, lambda b, g: b.has(text(g[0]))),
    "add": (2, _add),
    "remove": (1, lambda b, g: b.drop(text(g[0]))),
    "getenumerator": (0, lambda b, _: [_entry(name, value) for name, value in b.items()]),
}
