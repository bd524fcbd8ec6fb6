"""Cmdlets on what is in files, and on values of the registry's keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kiln_local.windows import objects, textfiles
from kiln_local.windows.binding import takes
from kiln_local.windows.cmdlets_items import expanded, paths
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.registry import is_key
from kiln_local.windows.values import Bag, items, number, text


def get_content(run: Any, call: Any) -> list[Any]:
    """Lines, or with -Raw the whole text."""
    encoding = text(call.get("encoding", None, textfiles.ANSI))

    def get(path: str) -> list[Any]:
        whole = run.machine.drive.read(path, encoding)
        return [whole] if call.has("raw") else _some(lines(whole), call)

    given = [found for path in paths(call) for found in expanded(run, call, path)]
    return list(run.for_each_path(call, given, get))


def lines(whole: str) -> list[str]:
    """Lines as Windows PowerShell ends them."""
    found = re.split(r"\r\n|\r|\n", whole)
    return found if found[-1] else found[:-1]


def _some(found: list[str], call: Any) -> list[str]:
    first, last = call.get("totalcount|first|head"), call.get("tail|last")
    if first is not None:
        return found[: int(number(first))]
    return found[max(0, len(found) - int(number(last))) :] if last is not None else found


def _writing(append: bool, default: str) -> Callable[[Any, Any], list[Any]]:
    def write(run: Any, call: Any) -> list[Any]:
        drive, encoding = run.machine.drive, text(call.get("encoding", None, default))
        value = call.get("value|inputobject", 1)
        said = _written(call.piped if value is None and call.piped else items(value))
        end = "" if call.has("nonewline") else "\r\n"
        body = "".join(line + end for line in said)
        for given in paths(call, 0, piped=False):
            for path in expanded(run, call, given):
                if call.has("noclobber") and drive.exists(path):
                    raise ScriptError(f"The file '{path}' already exists.")
                put = drive.append if append or call.has("append") else drive.write
                put(path, body, encoding)
        return []

    return write


def _written(values: list[Any]) -> list[str]:
    """Text of values. What objects look like in columns is not known here."""
    if any(isinstance(value, Bag) and value.kind in ("hashtable", "object") for value in values):
        raise NotHere("objects written to a file as they are shown")
    return [line for value in values for line in (objects.shown(value) or [""])]


# ------------------------------------------------------------ values of keys


def get_property(run: Any, call: Any) -> list[Any]:
    """A key's values, or one of them."""
    found = [run.machine.registry.values(_key(path)) for path in paths(call)]
    names = [text(name) for name in items(call.get("name", 1))]
    return [_only(values, names) for values in found] if names else found


def _only(values: Bag, names: list[str]) -> Bag:
    for name in names:
        if not values.has(name):
            raise ScriptError(f"Property {name} does not exist at that path.")
    return Bag([(name, values.get(name)) for name in names])


def _key(path: str) -> str:
    if not is_key(path):
        raise NotHere(f"properties of {path}")
    return path


def get_property_value(run: Any, call: Any) -> list[Any]:
    """One value of a key."""
    name = text(call.need("name", 1))
    values = [run.machine.registry.values(_key(path)) for path in paths(call)]
    return [_only(found, [name]).get(name) for found in values]


def _setting(new: bool) -> Callable[[Any, Any], list[Any]]:
    def put(run: Any, call: Any) -> list[Any]:
        name, value = text(call.need("name", 1)), _stored(call.get("value", 2))
        registry, force = run.machine.registry, call.has("force")
        for path in paths(call):
            if not registry.may_exist(_key(path)):
                raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
            if new and not force and registry.get(path, name) is not None:
                raise ScriptError("The property already exists.")
            registry.set(path, name, value)
        return []

    return put


def _stored(value: Any) -> Any:
    """A value as a key can hold it."""
    if isinstance(value, list):
        return [text(item) for item in value]
    if isinstance(value, Bag):
        raise NotHere("such a value of a key")
    return value if isinstance(value, (str, int)) else text(value)


def remove_property(run: Any, call: Any) -> list[Any]:
    """Remove a value of a key."""
    name = text(call.need("name", 1))
    for path in paths(call):
        _only(run.machine.registry.values(_key(path)), [name])
        run.machine.registry.drop(path, name)
    return []


_PATHS = "path literalpath pspath"
_TEXT = "path literalpath value encoding"
CMDLETS = {
    "get-content": (
        takes(f"{_PATHS} encoding totalcount first head tail last", "raw force"),
        get_content,
    ),
    "set-content": (takes(_TEXT, "force nonewline", places=2), _writing(False, textfiles.ANSI)),
    "add-content": (takes(_TEXT, "force nonewline", places=2), _writing(True, textfiles.ANSI)),
    "out-file": (
        takes(
            "filepath literalpath inputobject encoding",
            "append force nonewline noclobber",
        ),
        _writing(False, textfiles.UTF16),
    ),
    "get-itemproperty": (takes(f"{_PATHS} name", places=2), get_property),
    "get-itempropertyvalue": (takes(f"{_PATHS} name", places=2), get_property_value),
    "set-itemproperty": (
        takes(f"{_PATHS} name value type", "force", places=3),
        _setting(new=False),
    ),
    "new-itemproperty": (
        takes(f"{_PATHS} name value propertytype type", "force", places=3),
        _setting(new=True),
    ),
    "remove-itemproperty": (takes(f"{_PATHS} name", "force", places=2), remove_property),
}
