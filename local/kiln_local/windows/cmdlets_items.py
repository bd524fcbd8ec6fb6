"""Cmdlets on files, keys of the registry and variables of the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.objects import key_item
from kiln_local.windows.registry import is_key
from kiln_local.windows.values import items, one, text


def _paths(call: Any, position: int | None = 0) -> list[str]:
    given = call.get("path|literalpath|pspath", position)
    if given is None:
        given = [p if isinstance(p, str) else p.get("PSPath") for p in call.piped]
    return [text(path) for path in items(given)]


def _environment(path: str) -> str | None:
    return path[5:] if path.lower().startswith("env:\\") else None


def _expanded(run: Any, call: Any, path: str) -> list[str]:
    """What a path with wildcards stands for; a literal one stands for itself."""
    literal = call.get("literalpath|pspath") is not None
    if literal or is_key(path) or _environment(path) or not set("*?[") & set(path):
        return [path]
    return list(run.machine.drive.find(path))


def test_path(run: Any, call: Any) -> list[Any]:
    """Whether all paths are there."""
    found = True
    for path in _paths(call):
        if is_key(path):
            found = found and run.machine.registry.exists(path)
        elif (name := _environment(path)) is not None:
            found = found and run.variables.environment.has(name)
        else:
            expanded = _expanded(run, call, path)
            found = found and bool(expanded) and all(map(run.machine.drive.exists, expanded))
    return [found]


def get_item(run: Any, call: Any) -> list[Any]:
    """Files, folders or keys."""
    found: list[Any] = []
    for path in _paths(call):
        if is_key(path):
            run.machine.registry.values(path)
            found.append(key_item(path))
        else:
            found += [run.machine.drive.item(p) for p in _expanded(run, call, path)]
    return found


def get_child_item(run: Any, call: Any) -> list[Any]:
    """What lies below."""
    found: list[Any] = []
    for path in _paths(call):
        if is_key(path):
            found += [key_item(child) for child in run.machine.registry.children(path)]
            continue
        for one_path in _expanded(run, call, path):
            drive = run.machine.drive
            items_ = [drive.item(p) for p in drive.children(one_path, call.has("recurse"))]
            wanted = [i for i in items_ if not call.has("directory") or i.get("PSIsContainer")]
            found += [i for i in wanted if not call.has("file") or not i.get("PSIsContainer")]
    return found


def new_item(run: Any, call: Any) -> list[Any]:
    """A file, a folder or a key."""
    kind = text(call.get("itemtype|type")).lower()
    for path in _paths(call):
        if is_key(path):
            run.machine.registry.make(path)
        elif kind == "directory":
            run.machine.drive.make_folder(path)
        elif kind in ("file", ""):
            if run.machine.drive.exists(path) and not call.has("force"):
                raise ScriptError(f"The file '{path}' already exists.")
            run.machine.drive.write(path, text(call.get("value")))
        else:
            raise NotHere(f"New-Item -ItemType {kind}")
    return (
        [] if any(map(is_key, _paths(call))) else [run.machine.drive.item(p) for p in _paths(call)]
    )


def remove_item(run: Any, call: Any) -> list[Any]:
    """Remove files, folders, keys or variables of the environment."""
    for given in _paths(call):
        name = _environment(given)
        if name is not None:
            run.variables.environment.drop(name)
            continue
        for path in _expanded(run, call, given):
            if is_key(path):
                run.machine.registry.remove(path)
                continue
            if not run.machine.drive.exists(path):
                raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
            run.machine.remove(path, call.has("recurse"))
    return []


def _moving(copy: bool) -> Callable[[Any, Any], list[Any]]:
    def move(run: Any, call: Any) -> list[Any]:
        target = text(call.need("destination", 1))
        for given in _paths(call):
            for path in _expanded(run, call, given):
                run.machine.drive.move(path, target, copy)
        return []

    return move


def rename_item(run: Any, call: Any) -> list[Any]:
    """Give a file another name in its folder."""
    (path,) = _paths(call)
    run.machine.drive.move(path, f"{path.rpartition(chr(92))[0]}\\{text(call.need('newname', 1))}")
    return []


def get_content(run: Any, call: Any) -> list[Any]:
    """Lines, or with -Raw the whole text."""
    found: list[Any] = []
    for given in _paths(call):
        for path in _expanded(run, call, given):
            whole = run.machine.drive.read(path).lstrip("\ufeff")
            found += [whole] if call.has("raw") else whole.splitlines()
    return found


def _writing(append: bool) -> Callable[[Any, Any], list[Any]]:
    def write(run: Any, call: Any) -> list[Any]:
        value = call.get("value|inputobject", 1, call.piped)
        end = "" if call.has("nonewline") else "\r\n"
        body = "".join(text(line) + end for line in items(value))
        for path in _paths(call, 0) or [text(call.get("filepath"))]:
            keep = append or call.has("append")
            before = run.machine.drive.read(path) if keep and run.machine.drive.exists(path) else ""
            run.machine.drive.write(path, before + body)
        return []

    return write


def join_path(_: Any, call: Any) -> list[Any]:
    """Two parts of a path."""
    parent, child = text(call.need("path", 0)), text(call.need("childpath", 1))
    return [f"{parent.rstrip(chr(92))}\\{child.lstrip(chr(92))}"]


def split_path(_: Any, call: Any) -> list[Any]:
    """The folder of a path, or with -Leaf its last part."""
    folder, _, leaf = text(call.need("path|literalpath", 0)).rpartition("\\")
    return [leaf if call.named.get("leaf") else folder]


def get_property(run: Any, call: Any) -> list[Any]:
    """A key's values."""
    return [run.machine.registry.values(path) for path in _paths(call)]


def get_property_value(run: Any, call: Any) -> list[Any]:
    """One value of a key."""
    name = text(call.need("name", 1))
    return [run.machine.registry.values(path).get(name) for path in _paths(call)]


def set_property(run: Any, call: Any) -> list[Any]:
    """Set a value of a key."""
    name = text(call.need("name", 1))
    for path in _paths(call):
        if not is_key(path):
            raise NotHere(f"{call.name} on a file")
        run.machine.registry.set(path, name, one(items(call.get("value", 2))))
    return []


def remove_property(run: Any, call: Any) -> list[Any]:
    """Remove a value of a key."""
    for path in _paths(call):
        run.machine.registry.drop(path, text(call.need("name", 1)))
    return []


CMDLETS = {
    "test-path": test_path,
    "get-item": get_item,
    "get-childitem": get_child_item,
    "new-item": new_item,
    "remove-item": remove_item,
    "move-item": _moving(copy=False),
    "copy-item": _moving(copy=True),
    "rename-item": rename_item,
    "get-content": get_content,
    "set-content": _writing(append=False),
    "add-content": _writing(append=True),
    "out-file": _writing(append=False),
    "join-path": join_path,
    "split-path": split_path,
    "get-itemproperty": get_property,
    "get-itempropertyvalue": get_property_value,
    "set-itemproperty": set_property,
    "new-itemproperty": set_property,
    "remove-itemproperty": remove_property,
}
