"""What still carries a bake's tag and should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_GONE = frozenset({"terminated", "shutting-down"})


def leaks(backend: Any, bake: str, image: str | None, kept: bool) -> list[dict[str, str]]:
    """Leftovers of an ended bake; `image` is its result, `kept` says that its builder may stay."""
    return list(_leaks(backend, bake, image, kept))


def _leaks(backend: Any, bake: str, image: str | None, kept: bool) -> Iterator[dict[str, str]]:
    wanted = backend.amis[image].ebs_snapshot.id if image in backend.amis else None
    staying: set[str] = set()
    for instance in backend.all_instances():
        tags = _tags(instance)
        if tags.get("kiln:bake") != bake or instance._state.name in _GONE:
            continue
        if kept and tags.get("kiln:role") == "builder":
            staying.add(instance.id)
            continue
        yield {"kind": "instance", "id": instance.id, "state": instance._state.name}
    for volume in backend.volumes.values():
        attached = volume.attachment.instance.id if volume.attachment else None
        if _tags(volume).get("kiln:bake") == bake and attached not in staying:
            yield {"kind": "volume", "id": volume.id, "state": volume.status}
    for ami in backend.amis.values():
        if _tags(ami).get("kiln:bake") == bake and ami.id != image:
            yield {"kind": "image", "id": ami.id, "state": ami.state}
    for snapshot in backend.snapshots.values():
        if _tags(snapshot).get("kiln:bake") == bake and snapshot.id != wanted:
            yield {"kind": "snapshot", "id": snapshot.id, "state": snapshot.status}
    for interface in backend.enis.values():
        attached = getattr(interface.instance, "id", None)
        if _tags(interface).get("kiln:bake") == bake and attached not in staying:
            yield {"kind": "network-interface", "id": interface.id, "state": interface.status}


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}
