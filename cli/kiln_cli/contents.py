"""What is in an image against what is in another, as the manifests in Kiln's bucket say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from univers.versions import DebianVersion, InvalidVersion, RpmVersion

from kiln.domain.bake import ImageRecord
from kiln.domain.packages import (
    Change,
    Difference,
    Manifest,
    Package,
    PackageKind,
    difference,
    load_manifest,
)
from kiln.domain.version import split_version
from kiln.errors import Refused
from kiln.ports import World

_IMAGE = re.compile(r"^ami-[0-9a-f]{8,17}$")
_ORDERS = {PackageKind.RPM: RpmVersion, PackageKind.DEB: DebianVersion}


@dataclass(frozen=True)
class Compared:
    """Two images and what differs."""

    before: Side
    after: Side
    found: Difference

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "added": [p.model_dump(mode="json") for p in self.found.added],
            "removed": [p.model_dump(mode="json") for p in self.found.removed],
            "changed": [
                change.model_dump(mode="json") | {"direction": direction(change)}
                for change in self.found.changed
            ],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """What the table prints: change, kind, name, architecture, version before, after."""
        rows: list[tuple[str, ...]] = []
        rows += [("added", *_columns(p), "", p.version) for p in self.found.added]
        rows += [("removed", *_columns(p), p.version, "") for p in self.found.removed]
        rows += [(direction(c), *_columns(c), c.before, c.after) for c in self.found.changed]
        return rows


@dataclass(frozen=True)
class Side:
    """One of two images."""

    record: ImageRecord
    manifest: Manifest

    def as_json(self) -> dict[str, Any]:
        """Which image this is, and how many packages it has."""
        names = ("id", "name", "blueprint", "version", "manifest", "sbom")
        found = self.record.model_dump(mode="json", include=set(names))
        return found | {"packages": len(self.manifest.packages)}


def _columns(found: Package | Change) -> tuple[str, str, str]:
    return found.kind.value, found.name, found.architecture


def direction(change: Change) -> str:
    """`upgraded` or `downgraded` as rpm or dpkg order versions; `changed` where there is no such
    order, as on Windows."""
    order = _ORDERS.get(change.kind)
    if order is None:
        return "changed"
    try:
        before, after = order(change.before), order(change.after)
        return "upgraded" if before < after else "downgraded" if after < before else "changed"
    except (InvalidVersion, ValueError, TypeError):
        return "changed"


def compare(before: str, after: str, world: World) -> Compared:
    """Compare two images: each an image's id, `BLUEPRINT` for its newest image or `BLUEPRINT@N`
    for the newest of its version N. Raises Refused for one that is not known or has no manifest."""
    sides = Side(*_side(before, world)), Side(*_side(after, world))
    found = difference(sides[0].manifest.packages, sides[1].manifest.packages)
    return Compared(*sides, found)


def _side(wanted: str, world: World) -> tuple[ImageRecord, Manifest]:
    record = _record(wanted, world)
    body = world.objects.read(record.manifest) if record.manifest.endswith(".json") else None
    if body is None:
        raise Refused(
            f"{wanted}: {record.id} has no package manifest in Kiln's bucket; bake "
            f"{record.blueprint} again to have one"
        )
    try:
        return record, load_manifest(body)
    except ValueError as error:
        raise Refused(f"{wanted}: {record.manifest} {error}") from error


def _record(wanted: str, world: World) -> ImageRecord:
    if _IMAGE.match(wanted):
        found = world.records.image(wanted)
        if found is None:
            raise Refused(f"{wanted}: no image that Kiln made; `kiln images` lists them")
        return found
    name, number = split_version(wanted)
    images = world.records.images(name)
    chosen = [i for i in images if number in (None, i.version)]
    newest = max(chosen, key=lambda image: image.created, default=None)
    if newest is None:
        known = ", ".join(sorted({f"{name}@{i.version}" for i in images})) or "none"
        raise Refused(f"{wanted}: no image of that blueprint and version; known: {known}")
    return newest
