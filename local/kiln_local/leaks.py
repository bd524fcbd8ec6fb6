"""What still carries a bake's tag and should not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from moto.ec2.models import ec2_backends

from kiln_local.images import image_snapshots

_GONE = frozenset({"terminated", "shutting-down"})


def everywhere(here: Any, bake: str, images: Collection[str], kept: bool) -> list[dict[str, str]]:
    """Leftovers of an ended bake in every Region of its account."""
    return [
        row | ({"region": region} if backend is not here else {})
        for region, backend in list(ec2_backends[here.account_id].items())
        for row in leaks(backend, bake, images, kept)
    ]


def leaks(backend: Any, bake: str, images: Collection[str], kept: bool) -> list[dict[str, str]]:
    """Leftovers of an ended bake in one Region; `images` are its results, `kept` says that its
    builder may stay."""
    staying = {
        instance.id
        for instance in backend.all_instances()
        if kept and _tags(instance).get("kiln:role") == "builder"
    }
    results = [backend.amis[name] for name in images if name in backend.amis]
    wanted = {snapshot.id for image in results for snapshot in image_snapshots(image)}
    amis, snapshots = list(backend.amis.values()), list(backend.snapshots.values())
    found = (
        *_instances(backend, staying),
        *_attached("volume", backend.volumes.values(), staying),
        *_attached("network-interface", backend.enis.values(), staying),
        *(("image", ami, ami.state) for ami in amis if ami.id not in images),
        *(("snapshot", s, s.status) for s in snapshots if s.id not in wanted),
    )
    return [
        {"kind": kind, "id": resource.id, "state": state}
        for kind, resource, state in found
        if _tags(resource).get("kiln:bake") == bake
    ]


def parts(backend: Any, stored: list[str], images: Collection[str]) -> list[dict[str, str]]:
    """Of the objects of a bake's bundle, those that no image stands for."""
    locations = [str(backend.amis[i].image_location) for i in images if i in backend.amis]
    folders = tuple(f"{place.rpartition('/')[0]}/" for place in locations if "/" in place)
    left = [name for name in stored if not name.startswith(folders)]
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
