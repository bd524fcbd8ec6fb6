"""Properties, methods and elements of values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kiln_local.windows import xml
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import Bag, items, number, one, text


def get(owner: Any, name: str, strict: bool = False) -> Any:
    """A property; of an array, each item's."""
    word = name.lower()
    if isinstance(owner, list):
        if word in ("count", "length"):
            return len(owner)
        found = [get(item, name, strict) for item in owner]
        return one([value for value in found if value is not None])
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
        properties = [Bag([("Name", key), ("Value", value)]) for key, value in owner.items()]
        return Bag([("Properties", properties)])
    if word == "keys":
        return owner.keys()
    if word == "values":
        return [value for _, value in owner.items()]
    if word == "count":
        return len(owner.keys()) if owner.kind == "hashtable" else 1
    if strict and owner.kind != "hashtable":
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
        owner.set(name, value)
    else:
        raise NotHere(f"setting {name} of {type(owner).__name__}")


def element(owner: Any, index: Any) -> Any:
    """`owner[index]`: outside of an array is nothing."""
    if isinstance(owner, Bag):
        return owner.get(index)
    if isinstance(index, list):
        return [element(owner, item) for item in index]
    if owner is None:
        raise ScriptError("Cannot index into a null array.")
    found = owner if isinstance(owner, (list, str)) else [owner]
    place = int(number(index))
    return found[place] if -len(found) <= place < len(found) else None


def put_element(owner: Any, index: Any, value: Any) -> None:
    """Set an element."""
    if isinstance(owner, Bag):
        owner.set(index, value)
    elif isinstance(owner, list):
        owner[int(number(index))] = value
    else:
        raise NotHere(f"setting an element of {type(owner).__name__}")


def call(owner: Any, name: str, given: list[Any], machine: Any) -> Any:
    """A method."""
    word = name.lower()
    if isinstance(owner, xml.Element):
        return xml.call(owner, word, given, machine)
    if isinstance(owner, str) and word in _OF_TEXT:
        return _OF_TEXT[word](owner, given)
    if isinstance(owner, datetime):
        return _call_time(owner, word, given)
    if isinstance(owner, Bag) and word in _OF_BAG:
        return _OF_BAG[word](owner, given)
    if isinstance(owner, Bag) and owner.kind == "hash":
        return owner.get("compute")(given[0])
    if isinstance(owner, Bag) and owner.kind == "encoding":
        return owner.get(word)(*given)
    if word == "tostring":
        return owner.get("text") if isinstance(owner, Bag) and owner.has("text") else text(owner)
    raise NotHere(f"method {name} of {type(owner).__name__}")


def _call_time(owner: datetime, word: str, given: list[Any]) -> Any:
    if word == "touniversaltime":
        return owner.astimezone(UTC)
    if word == "tostring":
        return _time_text(owner, text(given[0]) if given else "o")
    raise NotHere(f"method {word} of a time")


def _time_text(owner: datetime, form: str) -> str:
    names = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "o": "%FT%T"}
    for name, code in names.items():
        form = form.replace(name, code)
    return owner.strftime(form.replace("'", ""))


def _cut(owner: str, given: list[Any]) -> str:
    start = int(given[0])
    return owner[start : start + int(given[1])] if len(given) > 1 else owner[start:]


def _characters(given: list[Any]) -> str | None:
    return "".join(text(item) for item in given) or None


_OF_TEXT: dict[str, Callable[[str, list[Any]], Any]] = {
    "trim": lambda s, g: s.strip(_characters(g)),
    "trimend": lambda s, g: s.rstrip(_characters(g)),
    "trimstart": lambda s, g: s.lstrip(_characters(g)),
    "tolower": lambda s, _: s.lower(),
    "toupper": lambda s, _: s.upper(),
    "replace": lambda s, g: s.replace(text(g[0]), text(g[1])),
    "contains": lambda s, g: text(g[0]) in s,
    "startswith": lambda s, g: s.startswith(text(g[0])),
    "endswith": lambda s, g: s.endswith(text(g[0])),
    "indexof": lambda s, g: s.find(text(g[0])),
    "substring": _cut,
    "split": lambda s, g: s.split(text(one(items(g[0])))),
    "tostring": lambda s, _: s,
}
_OF_BAG: dict[str, Callable[[Bag, list[Any]], Any]] = {
    "containskey": lambda b, g: b.has(g[0]),
    "contains": lambda b, g: b.has(g[0]),
    "add": lambda b, g: b.set(g[0], g[1]),
    "remove": lambda b, g: b.drop(g[0]),
}
