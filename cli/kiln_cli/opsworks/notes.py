"""What an import could not carry over, field by field, and what it had to assume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiln_cli.opsworks.export import Object
from kiln_cli.opsworks.fields import REASONS, SHAPES

_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Note:
    """One field of one object, by OpsWorks's own name; `about` is the object."""

    about: str
    field: str
    reason: str


@dataclass
class Notes:
    """In the order in which they were made."""

    dropped: list[Note] = field(default_factory=list)
    assumed: list[Note] = field(default_factory=list)

    def drop(self, about: str, name: str, reason: str) -> None:
        """A field, or a value of it, that is not in the stack file."""
        self.dropped.append(Note(about, name, reason))

    def assume(self, about: str, name: str, reason: str) -> None:
        """A value in the stack file that OpsWorks did not say so."""
        self.assumed.append(Note(about, name, reason))

    def drop_known(self, about: str, kind: str, found: Object) -> None:
        """Every field of an object that has a reason, or that nobody knows. Empty ones hold
        nothing that could be lost."""
        for name, value in found.items():
            if value in _EMPTY:
                continue
            if name in REASONS[kind]:
                for inner in _inner(name, value):
                    self.drop(about, inner, REASONS[kind][name])
            elif name not in SHAPES[kind]:
                self.drop(about, name, "it is no field that OpsWorks documented")
            else:
                self._drop_unknown(about, name, value, SHAPES[kind][name])

    def _drop_unknown(self, about: str, name: str, value: Any, shape: Any) -> None:
        """Fields inside one that is carried over, of which nobody knows."""
        items = value if isinstance(shape, list) else [value]
        inner = shape[0] if isinstance(shape, list) else shape
        if not isinstance(inner, dict):
            return
        for item in items:
            for key, found in item.items():
                if key not in inner and found not in _EMPTY:
                    reason = "it is no field that OpsWorks documented"
                    self.drop(about, f"{name}.{key}", reason)
                elif isinstance(inner.get(key), dict) and isinstance(found, dict):
                    self._drop_unknown(about, f"{name}.{key}", found, inner[key])


def _inner(name: str, value: Any) -> Iterable[str]:
    """A mapping by each of its keys that hold something."""
    if not isinstance(value, dict):
        return [name]
    return [f"{name}.{key}" for key, found in value.items() if found not in _EMPTY]


def lines(notes: Iterable[Note]) -> list[str]:
    """For a person: what is said of many objects stands once."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        found.setdefault((note.field, note.reason), []).append(note.about)
    return [f"{name} of {_objects(about)}: {reason}" for (name, reason), about in found.items()]


def _objects(about: list[str]) -> str:
    shown = list(dict.fromkeys(about))
    return (
        ", ".join(shown) if len(shown) <= 3 else f"{', '.join(shown[:2])} and {len(shown) - 2} more"
    )
