"""Cmdlets on files, keys of the registry and variables of the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln_local.windows.binding import takes
from kiln_local.windows.errors import NotHere, Refused, ScriptError
from kiln_local.windows.objects import key_item
from kiln_local.windows.registry import is_key
from kiln_local.windows.strings import wildcard
from kiln_local.windows.values import Bag, items, text

_MISSING = object()


def paths(call: Any, position: int | None = 0, piped: bool = True) -> list[str]:
    """The paths of a call. Raises Refused where there is none."""
    given = call.get("path|literalpath|pspath|filepath", position, _MISSING)
    if given is not _MISSING:
        found = items(given)
    else:
        found = [p.get("PSPath") if isinstance(p, Bag) else p for p in call.piped if piped]
        if piped and not call.piped:
            return []
    if not found or not all(text(path) for path in found):
        raise Refused(f"{call.name}: Cannot bind argument to parameter 'Path' because it is empty.")
    return [text(path) for path in found]


def variable_of(path: str) -> str | None:
    """`Env:\\X` and `Env:X`."""
    return path[4:].lstrip("\\/") if path.lower().startswith("env:") else None


def expanded(run: Any, call: Any, path: str) -> list[str]:
    """What a path with wildcards stands for; a literal one stands for itself."""
    literal = call.get("literalpath|pspath") is not None
    if literal or is_key(path) or variable_of(path) is not None or not set("*?[") & set(path):
        return [path]
    return list(run.machine.drive.find(path))


def test_path(run: Any, call: Any) -> list[Any]:
    """Whether a path is there; of several, each."""
    given, kind = paths(call), text(call.get("pathtype")).lower()
    if not given or kind not in ("", "any", "leaf", "container"):
        raise Refused("Test-Path: Cannot bind argument to parameter 'Path' or 'PathType'.")
    return [_there(run, call, path, kind) for path in given]


def _there(run: Any, call: Any, path: str, kind: str) -> bool:
    drive, name = run.machine.drive, variable_of(path)
    if name is not None or is_key(path):
        known = run.variables.environment if name is not None else run.machine.registry
        found = known.has(name) if name is not None else known.exists(path)
        return bool(found) and (kind != "leaf" if name is None else kind != "container")
    found = [p for p in expanded(run, call, path) if drive.exists(p)]
    if kind in ("leaf", "container"):
        found = [p for p in found if drive.is_folder(p) == (kind == "container")]
    return bool(found)


def get_item(run: Any, call: Any) -> list[Any]:
    """Files, folders or keys."""

    def get(path: str) -> list[Any]:
        if is_key(path):
            run.machine.registry.values(path)
            return [key_item(path)]
        return [run.machine.drive.item(p) for p in expanded(run, call, path)]

    return list(run.for_each_path(call, paths(call), get))


def get_child_item(run: Any, call: Any) -> list[Any]:
    """What lies below."""

    def get(path: str) -> list[Any]:
        if not is_key(path):
            drive = run.machine.drive
            return [f for p in expanded(run, call, path) for f in _files(drive, p, call)]
        if set(call.named) & {"recurse", "directory", "file", "filter"}:
            raise NotHere("Get-ChildItem of keys with more than a path")
        return [key_item(child) for child in run.machine.registry.children(path)]

    return list(run.for_each_path(call, paths(call), get))


def _files(drive: Any, path: str, call: Any) -> list[Any]:
    found = [drive.item(p) for p in drive.children(path, call.has("recurse"))]
    if call.has("directory") or call.has("file"):
        found = [i for i in found if i.get("PSIsContainer") == call.has("directory")]
    pattern = wildcard(text(call.get("filter", None, "*")))
    return [i for i in found if pattern.match(text(i.get("Name")))]


def new_item(run: Any, call: Any) -> list[Any]:
    """A file, a folder or a key."""
    name, made = call.get("name"), []
    for path in paths(call, piped=False):
        whole = f"{path.rstrip(chr(92))}\\{text(name)}" if name is not None else path
        if is_key(whole):
            _new_key(run.machine.registry, whole, call.has("force"))
            made.append(key_item(whole))
        else:
            _new_file(run.machine.drive, whole, call)
            made.append(run.machine.drive.item(whole))
    return made


def _new_key(registry: Any, path: str, force: bool) -> None:
    """An existing key is made anew where it is forced: its values and what is below are gone."""
    if registry.exists(path) and not force:
        raise ScriptError(f"A key in this path already exists: '{path}'.")
    if registry.exists(path):
        registry.remove(path)
    registry.make(path)


def _new_file(drive: Any, path: str, call: Any) -> None:
    kind, force = text(call.get("itemtype|type")).lower(), call.has("force")
    if kind not in ("directory", "file", ""):
        raise NotHere(f"New-Item -ItemType {kind}")
    if kind == "directory":
        if drive.exists(path) and not (force and drive.is_folder(path)):
            raise ScriptError(f"An item with the specified name '{path}' already exists.")
        drive.make_folder(path)
        return
    if drive.exists(path) and not (force and not drive.is_folder(path)):
        raise ScriptError(f"The file '{path}' already exists.")
    if force:
        drive.make_folder(path.rstrip("\\").rpartition("\\")[0] + "\\")
    drive.write(path, text(call.get("value")))


def remove_item(run: Any, call: Any) -> list[Any]:
    """Remove files, folders, keys or variables of the environment."""
    given = [found for path in paths(call) for found in expanded(run, call, path)]
    return list(run.for_each_path(call, given, lambda path: _remove(run, call, path)))


def _remove(run: Any, call: Any, path: str) -> None:
    name = variable_of(path)
    if name is not None:
        if not run.variables.environment.has(name):
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        run.variables.set_environment(name, "")
    elif is_key(path):
        _remove_key(run.machine.registry, path, call.has("recurse"))
    elif not run.machine.drive.exists(path):
        raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
    else:
        run.machine.remove(path, call.has("recurse"))


def _remove_key(registry: Any, path: str, recurse: bool) -> None:
    if registry.children(path) and not recurse:
        raise ScriptError(f"The key '{path}' has keys below it and -Recurse was not given.")
    registry.remove(path)


def copy_item(run: Any, call: Any) -> list[Any]:
    """Copy; of a folder without -Recurse the folder alone."""
    target, recurse = text(call.need("destination", 1)), call.has("recurse")
    given = [found for path in paths(call) for found in expanded(run, call, path)]
    drive = run.machine.drive
    return list(run.for_each_path(call, given, lambda p: drive.copy(p, target, recurse)))


def move_item(run: Any, call: Any) -> list[Any]:
    """Move."""
    target, force = text(call.need("destination", 1)), call.has("force")
    given = [found for path in paths(call) for found in expanded(run, call, path)]
    drive = run.machine.drive
    return list(run.for_each_path(call, given, lambda p: drive.move(p, target, force)))


def rename_item(run: Any, call: Any) -> list[Any]:
    """Give a file another name in its folder."""
    given = paths(call)
    if len(given) != 1:
        raise Refused("Rename-Item: one path at a time")
    run.machine.drive.rename(given[0], text(call.need("newname", 1)))
    return []


def join_path(_: Any, call: Any) -> list[Any]:
    """Two parts of a path."""
    child = text(call.need("childpath", 1)).replace("/", "\\").lstrip("\\")
    parents = [text(p).replace("/", "\\").rstrip("\\") for p in items(call.need("path", 0))]
    return [f"{parent}\\{child}" for parent in parents]


def split_path(_: Any, call: Any) -> list[Any]:
    """The folder of a path, or with -Leaf its last part."""
    folder, _, leaf = text(call.need("path|literalpath", 0)).rstrip("\\/").rpartition("\\")
    if call.has("leaf"):
        return [leaf]
    return [folder + "\\" if folder[-1:] == ":" else folder]


_PATHS = "path literalpath pspath"
_Cmdlet = Callable[[Any, Any], list[Any]]
CMDLETS = {
    "test-path": (takes(f"{_PATHS} pathtype"), test_path),
    "get-item": (takes(_PATHS, "force"), get_item),
    "get-childitem": (takes(f"{_PATHS} filter", "recurse force directory file"), get_child_item),
    "new-item": (takes("path name itemtype type value", "force"), new_item),
    "remove-item": (takes(_PATHS, "recurse force"), remove_item),
    "move-item": (takes(f"{_PATHS} destination", "force", places=2), move_item),
    "copy-item": (takes(f"{_PATHS} destination", "recurse force", places=2), copy_item),
    "rename-item": (takes(f"{_PATHS} newname", "force", places=2), rename_item),
    "join-path": (takes("path childpath", places=2), join_path),
    "split-path": (takes("path literalpath", "leaf parent"), split_path),
}
