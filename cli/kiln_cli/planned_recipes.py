"""Which recipes a layer will run, and what lies behind them: to be read before an image comes."""

from __future__ import annotations

from typing import Any

from kiln.domain.recipes import listed
from kiln.domain.stack import Layer

# Where a source's type keeps what a person would look up. No key here may hold a secret.
_PLACES = ("repository", "owner", "path", "url", "getOptions")


def recipe_rows(layer: Layer) -> list[dict[str, Any]]:
    """Each recipe with its event, in the order in which they run; `file` is empty for a script
    that stands in the stack file."""
    return [
        {"event": found.event.value, "recipe": found.name, "file": found.file}
        for found in listed(layer)
    ]


def source_of(layer: Layer) -> dict[str, Any] | None:
    """Where the files of Chef's or Ansible's recipes come from, without what is secret."""
    if not layer.source:
        return None
    kept = ("type", *_PLACES)
    return {key: layer.source[key] for key in kept if key in layer.source}
