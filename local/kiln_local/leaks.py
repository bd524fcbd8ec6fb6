"""What still carries a bake's tag and should not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kiln_local.images import image_snapshots

_GONE = frozenset({"terminated", "shutting-down"})


def leaks(backend: Any, bake: str, image: str | None, kept: bool) -> list[dict[str, str]]:
    """Leftovers of an ended bake; `image` is its result, `kept` says that its builder may stay."""
    staying = {
        instance.id
        for instance in backend.all_instances()
        if kept and _tags(instance).get("kiln:role") == "builder"
    }
    found_image = backend.amis.get(image)
    wanted = {s.id for s in image_snapshots(found_image)} if found_image else set()
    found = (
        *_instances(backend, staying),
        *_attached("volume", backend.volumes.values(), staying),
        *_attached("network-interface", backend.enis.values(), staying),
        *(("image", ami, ami.state) for ami in list(backend.amis.values()) if ami.id != image),
        *(
            ("snapshot", s, s.status)
            for s in list(backend.snapshots.values())
            if s.id not in wanted
        ),
    )
    return [
        {"kind": kind, "id": resource.id, "state": state}
        for kind, resource, state in found
        if _tags(resource).get("kiln:bake") == bake
    ]


def parts(backend: Any, stored: list[str], image: str | None) -> list[dict[str, str]]:
    """Of the objects of a bake's bundle, those that no image stands for."""
    location = backend.amis[image].image_location if image in backend.amis else ""
    folder = str(location).rpartition("/")[0]
    left = [name for name in stored if not folder or not name.startswith(f"{folder}/")]
    return [{"kind": "bundle", "id": name, "state": "stored"} for name in left]


def _instances(backend: Any, staying: set[str]) -> Iterator[tuple[str, Any, str]]:
    for instance in backend.all_instances():
        state = instance._state.name
        if state not in _GONE and instance.id not in staying:
            yield "instance", instance, state


def _attached(
    kind: str, resources: Iterable[Any], staying: set[str]
) -> Iterator[tuple[str, Any, str]]:
    for resource in resources:
        attachment = getattr(resource, "attachment", None)
        holder = getattr(attachment or resource, "instance", None)
        if getattr(holder, "id", None) not in staying:
            yield kind, resource, resource.status


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}
