"""Finding what a command names: a layer as stack/layer, an instance by any of its names, a
bake by its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kiln.domain.instance import LayerInstance
from kiln.domain.naming import BAKE_ID
from kiln.domain.stack import Layer, Stack, split_layer
from kiln.errors import AwsRefused, InvalidRequest
from kiln.ports import World


@dataclass(frozen=True)
class Found:
    """A layer in its stack."""

    stack: Stack
    layer: Layer

    @property
    def path(self) -> str:
        """stack/layer."""
        return f"{self.stack.name}/{self.layer.name}"

    def members(self, world: World) -> tuple[LayerInstance, ...]:
        """The instances that belong to the layer, by the numbers in their hostnames."""
        found = (i for i in world.records.instances(self.stack.name) if self.layer.name in i.layers)
        return tuple(sorted(found, key=by_hostname))


def by_hostname(entry: LayerInstance) -> tuple[str, int, str]:
    """A key that sorts web10 after web9, stack by stack."""
    return entry.stack, len(entry.hostname), entry.hostname


@contextmanager
def existing(bake: str) -> Iterator[None]:
    """Within the block a bake is looked up by its id. InvalidRequest where it is none, or Step
    Functions knows none of that name."""
    if not BAKE_ID.match(bake):
        raise InvalidRequest(f"{bake!r} is no bake id; one looks like web-20261123-101500-9f3a")
    try:
        yield
    except AwsRefused as error:
        if error.code != "ExecutionDoesNotExist":
            raise
        raise InvalidRequest(f"bake {bake} does not exist; `kiln status` lists all") from error


def find_layer(path: str, world: World) -> Found:
    """A layer by `stack/layer`, or by its name alone where only one stack has it."""
    stacks = world.records.stacks()
    places = [Found(stack, layer) for stack in stacks for layer in stack.layers]
    wanted, name = split_layer(path) if "/" in path else ("", path)
    found = [p for p in places if p.layer.name == name and wanted in ("", p.stack.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidRequest(
            f"layer {path} is in several stacks: {_listed(p.path for p in found)}; say which"
        )
    known = _listed(place.path for place in places) or "none; `kiln apply` a stack first"
    raise InvalidRequest(f"layer {path} does not exist; known: {known}")


def find_instances(names: Iterable[str], world: World) -> tuple[LayerInstance, ...]:
    """Instances by hostname, stack/hostname, own id or EC2 id, each once."""
    entries = [i for stack in world.records.stacks() for i in world.records.instances(stack.name)]
    found = {entry.id: entry for name in names for entry in [_instance(name, entries)]}
    return tuple(found.values())


def _instance(name: str, entries: list[LayerInstance]) -> LayerInstance:
    found = [entry for entry in entries if name in _names(entry)]
    if len(found) == 1:
        return found[0]
    if found:
        paths = _listed(f"{entry.stack}/{entry.hostname}" for entry in found)
        raise InvalidRequest(f"instance {name} is in several stacks: {paths}; say which")
    raise InvalidRequest(
        f"instance {name} does not exist; `kiln layers` lists hostnames, ids and EC2 ids"
    )


def _names(entry: LayerInstance) -> set[str | None]:
    return {entry.hostname, f"{entry.stack}/{entry.hostname}", entry.id, entry.ec2_id}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
