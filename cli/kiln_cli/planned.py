"""From a stack file to the records of the instances that it plans: which are to be written, changed
or removed. Decided first and whole; one that cannot be done leaves everything as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.scaling import PlannedInstance
from kiln.domain.stack import Layer, Stack
from kiln.errors import InvalidRequest
from kiln.ports import World
from kiln_cli.difference import Difference
from kiln_cli.finding import Found, by_hostname
from kiln_cli.members import check_alike, layer_beside, new_record

S = InstanceState


@dataclass
class Planned:
    """What becomes of records; `changed` holds them as they are and as they will be."""

    added: list[LayerInstance] = field(default_factory=list)
    changed: list[tuple[LayerInstance, LayerInstance]] = field(default_factory=list)
    removed: list[LayerInstance] = field(default_factory=list)
    rows: list[Difference] = field(default_factory=list)


def plan(stack: Stack, before: Stack | None, world: World) -> Planned:
    """All that has to happen to the records of a stack. InvalidRequest, naming key and hostname."""
    entries = sorted(world.records.instances(stack.name), key=by_hostname)
    _check_layers(stack, before, entries)
    planned = Planned()
    for layer in stack.layers:
        for wanted in layer.instances:
            _plan_one(Found(stack, layer), wanted, (entries, planned), world)
    names = {wanted.hostname for layer in stack.layers for wanted in layer.instances}
    for entry in entries:
        if entry.planned and entry.planned not in names:
            _plan_removal(entry, planned)
    return planned


def _check_layers(stack: Stack, before: Stack | None, entries: list[LayerInstance]) -> None:
    kinds = {layer.name: layer.kind for layer in stack.layers}
    known = {layer.name: layer.kind for layer in before.layers} if before else {}
    for name in dict.fromkeys(name for entry in entries for name in entry.layers):
        mine = ", ".join(entry.hostname for entry in entries if name in entry.layers)
        if name not in kinds and known.get(name) == "autoscaling":
            # Its group keeps them; their records are forgotten.
            continue
        if name not in kinds:
            raise InvalidRequest(
                f"layers.{name}: is left out and still has instances: {mine}; stop and delete them "
                "with `kiln layers`, then apply again"
            )
        if kinds[name] != known.get(name, kinds[name]):
            raise InvalidRequest(
                f"layers.{name}.kind: cannot become {kinds[name]} while it has instances: {mine}"
            )


def _plan_one(
    found: Found,
    wanted: PlannedInstance,
    so_far: tuple[list[LayerInstance], Planned],
    world: World,
) -> None:
    entries, planned = so_far
    path = f"layers.{found.layer.name}.instances.{wanted.hostname}"
    _check_layers_of(found.stack, found.layer, wanted, path)
    # A rollout may have put another one in its place, and has both while it is under way.
    mine = [entry for entry in entries if entry.planned == wanted.hostname]
    mine = mine or [e for e in entries if e.hostname == wanted.hostname and not e.planned]
    if not mine:
        entry = new_record(found, wanted, wanted.hostname, world)
        planned.added.append(entry)
        planned.rows.append(Difference(path, "added", new=_shown(entry)))
    for entry in mine:
        changes = _changes(entry, found.layer, wanted)
        if changes:
            _check_may_change(entry, changes, path)
            after = entry.model_copy(update=changes)
            planned.changed.append((entry, after))
            planned.rows += _rows(entry, after, path)


def _check_layers_of(stack: Stack, layer: Layer, wanted: PlannedInstance, path: str) -> None:
    try:
        check_alike([layer, *(layer_beside(stack, name) for name in wanted.also_in)])
    except InvalidRequest as error:
        raise InvalidRequest(f"{path}.also_in: {error}") from error


def _changes(entry: LayerInstance, layer: Layer, wanted: PlannedInstance) -> dict[str, Any]:
    layers = tuple(dict.fromkeys((layer.name, *wanted.also_in)))
    same = (entry.layer, set(entry.layers)) == (layer.name, set(layers))
    after = {
        "planned": wanted.hostname,
        "layers": entry.layers if same else layers,
        "scaling": wanted.scaling,
        "hours": wanted.hours,
        # The layer's own type is for new instances; one of its own is this instance's.
        "instance_type": wanted.instance_type or entry.instance_type,
    }
    return {key: value for key, value in after.items() if getattr(entry, key) != value}


def _check_may_change(entry: LayerInstance, changes: dict[str, Any], path: str) -> None:
    for key in ("layers", "instance_type"):
        if key in changes and entry.state is not S.STOPPED:
            what = "also_in" if key == "layers" else key
            raise InvalidRequest(
                f"{path}.{what}: {entry.hostname} is {entry.state}, and this changes only while it "
                f"is stopped; `kiln layers stop {entry.hostname}`, then apply again"
            )


def _plan_removal(entry: LayerInstance, planned: Planned) -> None:
    path = f"layers.{entry.layer}.instances.{entry.planned}"
    if entry.state is not S.STOPPED:
        raise InvalidRequest(
            f"{path}: is left out, and {entry.hostname} is {entry.state}; `kiln layers stop "
            f"{entry.hostname}`, then apply again"
        )
    planned.removed.append(entry)
    planned.rows.append(Difference(path, "removed", old=_shown(entry)))


def _shown(entry: LayerInstance) -> dict[str, Any]:
    found = {
        "hostname": entry.hostname,
        "ec2_id": entry.ec2_id,
        "layers": list(entry.layers),
        "scaling": entry.scaling.value,
        "hours": {day: list(hours) for day, hours in entry.hours.items()},
        "instance_type": entry.instance_type,
    }
    return {key: value for key, value in found.items() if value}


def _rows(before: LayerInstance, after: LayerInstance, path: str) -> Iterator[Difference]:
    old, new = (entry.model_dump(mode="json") for entry in (before, after))
    for key in ("planned", "layers", "scaling", "hours", "instance_type"):
        if old[key] != new[key]:
            yield Difference(f"{path}.{key}", "changed", old[key], new[key])
