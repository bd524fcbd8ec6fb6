"""What is said of OpsWorks's fields that are not carried over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiln_cli.elsewhere import notes
from kiln_cli.elsewhere.notes import EMPTY
from kiln_cli.opsworks.export import Object
from kiln_cli.opsworks.fields import REASONS, SHAPES


class Notes(notes.Notes):
    """With what is known of OpsWorks's fields."""

    def drop_known(self, about: str, kind: str, found: Object) -> None:
        """Every field of an object that has a reason, or that nobody knows. Empty ones hold
        nothing that could be lost."""
        for name, value in found.items():
            if value in EMPTY:
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
                if key not in inner and found not in EMPTY:
                    reason = "it is no field that OpsWorks documented"
                    self.drop(about, f"{name}.{key}", reason)
                elif isinstance(inner.get(key), dict) and isinstance(found, dict):
                    self._drop_unknown(about, f"{name}.{key}", found, inner[key])


def _inner(name: str, value: Any) -> Iterable[str]:
    """A mapping by each of its keys that hold something."""
    if not isinstance(value, dict):
        return [name]
    return [f"{name}.{key}" for key, found in value.items() if found not in EMPTY]
