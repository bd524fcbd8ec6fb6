"""Blueprint and stack files: read, checked, scripts put in. What is wrong is one line."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.model import meant
from kiln.domain.stack import Stack, stack_from
from kiln.errors import InvalidBlueprint, InvalidRequest, Refused
from kiln_cli.places import place_of
from kiln_cli.yaml12 import read_yaml

_KINDS = ("blueprint", "stack")
LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True)
class BlueprintFile:
    """A valid blueprint; `document` is what is stored: as written, with its scripts put in."""

    path: Path
    document: dict[str, Any]
    blueprint: Blueprint


@dataclass(frozen=True)
class StackFile:
    """A valid stack."""

    path: Path
    stack: Stack


def read_any(path: Path) -> BlueprintFile | StackFile:
    """A blueprint or a stack, as its `kind` says. Raises Refused that begins with the path, and the
    line and column of what is wrong."""
    text = ""
    try:
        text = read_text(path)
        document = _mapping(text)
        if document["kind"] == "stack":
            return StackFile(path, stack_from(with_recipes(document, path.parent)))
        document = with_scripts(document, path.parent)
        return BlueprintFile(path, document, blueprint_from(document))
    except Refused as error:
        place = place_of(text, str(error)) if text else None
        where = f"{place}: " if place else ""
        raise type(error)(f"{path}: {where}{error}") from error


def read_blueprint(path: Path) -> BlueprintFile:
    """A blueprint; a stack is refused."""
    found = read_any(path)
    if isinstance(found, StackFile):
        raise InvalidBlueprint(f"{path}: kind: is a stack; a bake needs `kind: blueprint`")
    return found


def read_stack(path: Path) -> StackFile:
    """A stack; a blueprint is refused."""
    found = read_any(path)
    if isinstance(found, BlueprintFile):
        raise InvalidBlueprint(f"{path}: kind: is a blueprint; --stack needs `kind: stack`")
    return found


def read_text(path: Path, largest: int = LARGEST_FILE, instead: str = "keep scripts in S3") -> str:
    """The text of a file of at most `largest` bytes of UTF-8; `instead` is what to do with more."""
    try:
        _check_kind(path)
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidBlueprint("does not exist") from error
    except (OSError, ValueError) as error:
        raise InvalidBlueprint(
            f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if len(content) > largest:
        raise InvalidBlueprint(f"is larger than {largest // 1024} KiB; {instead}")
    return _decoded(content)


# What a shell hands over: `kiln validate <(make-blueprint)`.
_HANDED_OVER = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def _check_kind(path: Path) -> None:
    """Raise InvalidBlueprint for what has no end, or none before somebody writes to it."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidBlueprint("is a folder; name a file in it")
    if not stat.S_ISREG(mode) and not str(path).startswith(_HANDED_OVER):
        raise InvalidBlueprint("is a pipe or a device; name a file, or /dev/stdin")


def read_mapping(given: str, option: str) -> dict[str, Any]:
    """What an option holds, a mapping as JSON or the name of a file with one."""
    try:
        found = read_yaml(given if given.lstrip().startswith("{") else read_text(Path(given)))
    except InvalidBlueprint as error:
        raise InvalidRequest(f"{option}: {given[:60]}: {error}") from error
    if not isinstance(found, dict):
        raise InvalidRequest(f"{option}: {given[:60]}: is not a mapping of keys to values")
    return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidBlueprint(
            f"is not UTF-8 text (byte {error.start + 1} is 0x{content[error.start]:02x}); "
            "save it as UTF-8"
        ) from error


def _mapping(text: str) -> dict[str, Any]:
    document = read_yaml(text)
    if not isinstance(document, dict):
        raise InvalidBlueprint("is not a mapping; it needs `kind: blueprint` or `kind: stack`")
    if "kind" not in document:
        raise InvalidBlueprint("kind: is required; allowed: blueprint, stack")
    kind = str(document["kind"])[:60]
    if document["kind"] not in _KINDS:
        raise InvalidBlueprint(
            f"kind: {kind!r} is not allowed; {meant(kind, _KINDS)}allowed: {', '.join(_KINDS)}"
        )
    return document


def with_scripts(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The document with the text of every `{file: ...}` in place of it."""
    result = dict(document)
    result["steps"] = _steps(document.get("steps"), "steps", folder)
    verify = document.get("verify")
    if isinstance(verify, dict):
        result["verify"] = verify | {"steps": _steps(verify.get("steps"), "verify.steps", folder)}
        if "steps" not in verify:
            del result["verify"]["steps"]
    if "steps" not in document:
        del result["steps"]
    return result


def with_recipes(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A stack with the text of every recipe that is a `{file: ...}` in place of it."""
    layers = document.get("layers")
    if not isinstance(layers, list):
        return document
    found = [_layer(layer, f"layers.{n}", folder) for n, layer in enumerate(layers)]
    return document | {"layers": found}


def _layer(layer: Any, key: str, folder: Path) -> Any:
    recipes = layer.get("recipes") if isinstance(layer, dict) else None
    if not isinstance(recipes, dict):
        return layer
    read = {
        event: [_read(one, f"{key}.recipes.{event}.{n}", folder) for n, one in enumerate(listed)]
        if isinstance(listed, list)
        else listed
        for event, listed in recipes.items()
    }
    return layer | {"recipes": read}


def _steps(steps: Any, key: str, folder: Path) -> Any:
    if not isinstance(steps, list):
        return steps
    return [_step(step, f"{key}.{index}", folder) for index, step in enumerate(steps)]


def _step(step: Any, key: str, folder: Path) -> Any:
    if not isinstance(step, dict):
        return step
    return {name: _script(value, f"{key}.{name}", folder) for name, value in step.items()}


def _script(value: Any, key: str, folder: Path) -> Any:
    return _read(value, key, folder) if key.endswith((".shell", ".powershell")) else value


def _read(value: Any, key: str, folder: Path) -> Any:
    """The text of `{file: ...}`; anything else as it is."""
    if not isinstance(value, dict) or list(value) != ["file"] or not isinstance(value["file"], str):
        return value
    name = value["file"]
    try:
        return read_text(_beside(name, folder))
    except InvalidBlueprint as error:
        raise InvalidBlueprint(f"{key}.file: {name[:200]} {error}") from error


def _beside(name: str, folder: Path) -> Path:
    """A path below the blueprint's folder, links followed: no blueprint may read a user's keys."""
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidBlueprint("is no path") from error
    if not inside:
        raise InvalidBlueprint("leaves the blueprint's folder; put the script beside the blueprint")
    if not path.exists():
        raise InvalidBlueprint("does not exist beside the blueprint")
    return path
