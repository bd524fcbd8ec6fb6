"""Blueprints whose base is another blueprint's image: a chain, and never a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def base_in(document: dict[str, Any]) -> str | None:
    """The blueprint that a blueprint's document names as its base."""
    base = document.get("base")
    found = base.get("blueprint") if isinstance(base, dict) else None
    return found if isinstance(found, str) else None


def circle(start: str, base_of: Callable[[str], str | None]) -> tuple[str, ...]:
    """The circle that a blueprint is on, from it back to it; empty where it is on none.

    `base_of` names the blueprint below one. A blueprint that merely stands on a circle is not on
    it.
    """
    path = [start]
    while (base := base_of(path[-1])) is not None and base not in path:
        path.append(base)
    return (*path, start) if base == start else ()
