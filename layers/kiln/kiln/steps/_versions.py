"""Versions of blueprints: found, or one line that says which there are; and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.version import BlueprintVersion, check_storable, is_same
from kiln.errors import AwsBusy, InvalidBlueprint

if TYPE_CHECKING:
    from kiln.ports import World


def version_of(blueprint: str, number: int | None, world: World) -> BlueprintVersion:
    """A stored version, the latest where no number is named. InvalidBlueprint where there is
    none."""
    found = world.versions.get(blueprint, number)
    if found:
        return found
    latest = world.versions.get(blueprint) if number is not None else None
    if latest is None:
        known = ", ".join(world.versions.names()) or "none"
        raise InvalidBlueprint(
            f"{blueprint!r} is not stored; known: {known}; `kiln apply` stores a blueprint"
        )
    last = f" to {latest.number}" if latest.number > 1 else " alone"
    raise InvalidBlueprint(f"{blueprint}@{number} is not stored; stored: version 1{last}")


def next_number(blueprint: str, document: dict[str, Any], world: World) -> int:
    """The number under which a document is, or would be, the latest version."""
    latest = world.versions.get(blueprint)
    if latest is None:
        return 1
    return latest.number + (not is_same(latest.document, document))


def store(version: BlueprintVersion, world: World) -> None:
    """Store a version under a number that was free when it was planned. InvalidBlueprint for what
    could not be baked from it; AwsBusy where somebody else took the number for something else."""
    check_storable(version.document)
    if world.versions.add(version):
        return
    there = world.versions.get(version.blueprint, version.number)
    if there is None or not is_same(there.document, version.document):
        who = f" from {there.author}" if there and there.author else ""
        raise AwsBusy(
            f"blueprint {version.blueprint} got version {version.number}{who} just now, and yours "
            "was not stored; apply it again to see how it differs"
        )
