"""How two documents differ, key by key: what `kiln apply` shows before it stores anything. That a
secret differs is said, not what it is or was: a terminal is often the log of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kiln.domain.confidential import hidden, is_secret

# Lists of things that have names: they are compared by name, not by place.
_NAMES = {
    "layers": "name",
    "instances": "hostname",
    "blueprints": "blueprint",
    "steps": "name",
    "volumes": "mount_point",
    "apps": "path",
}
_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())
# A line of a terminal; --json has the whole.
_LONGEST = 120


@dataclass(frozen=True)
class Difference:
    """One key: its path, and what was and will be there."""

    path: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None

    @property
    def line(self) -> str:
        """For a person."""
        if self.change == "changed":
            return f"{self.path}: {_short(self.old)} -> {_short(self.new)}"
        value = self.new if self.change == "added" else self.old
        return f"{self.path}: {self.change} {_short(value)}".rstrip()


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Every key in which the documents differ, in the new one's order."""
    # As JSON, where 1 is not true.
    if _said(old) == _said(new):
        return
    names = _names(old, new, path)
    if names:
        yield from _by_name(old, new, (path, names))
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _by_key(old, new, path)
    else:
        yield Difference(path, "changed", old, new)


def _by_key(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Difference]:
    for key in (*new, *(key for key in old if key not in new)):
        inner = f"{path}.{key}" if path else str(key)
        if key not in old:
            yield Difference(inner, "added", new=_shown(key, new))
        elif key not in new:
            yield Difference(inner, "removed", old=_shown(key, old))
        elif is_secret(str(key)):
            if _said(old[key]) != _said(new[key]):
                yield Difference(inner, "changed", _shown(key, old), _shown(key, new))
        else:
            yield from differences(old[key], new[key], inner)


def _shown(key: str, document: dict[str, Any]) -> Any:
    """What stands at a key, in the words that may be shown."""
    return hidden({key: _trimmed(document[key])})[key]


def _by_name(old: Any, new: Any, where: tuple[str, str]) -> Iterator[Difference]:
    path, key = where
    was, will = ({item[key]: _without(item, key) for item in items} for items in (old, new))
    yield from _by_key(was, will, path)
    kept = [name for name in was if name in will]
    order = [name for name in will if name in was]
    if kept != order:
        yield Difference(path, "changed", kept, order)


def _names(old: Any, new: Any, path: str) -> str | None:
    """The key that names the items of both lists, each once."""
    key = _NAMES.get(path.rpartition(".")[2])
    if key is None or not (isinstance(old, list) and isinstance(new, list)):
        return None
    for items in (old, new):
        found = [item.get(key) if isinstance(item, dict) else None for item in items]
        if None in found or len({str(name) for name in found}) < len(found):
            return None
    return key


def _without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


def _trimmed(value: Any) -> Any:
    """Without what says nothing."""
    if not isinstance(value, dict):
        return value
    inner = {key: _trimmed(found) for key, found in value.items()}
    return {key: found for key, found in inner.items() if found not in _NOTHING}


def _short(value: Any) -> str:
    text = _said(value, sort_keys=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _said(value: Any, sort_keys: bool = True) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys)
