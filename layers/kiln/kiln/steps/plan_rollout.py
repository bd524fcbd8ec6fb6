"""PlanRollout: take a layer for one rollout, and decide what it starts from. Undone by
FinishRollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.durations import seconds
from kiln.domain.events import RolloutChanged
from kiln.domain.feed import check_strategy
from kiln.domain.fit import fit
from kiln.domain.group import is_reversible
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.rolling import AT_REST, MOVING
from kiln.domain.rollout import GroupRollout, Rollout
from kiln.domain.waiting import InstancesRest, LayerFree, RolloutApproved
from kiln.errors import RolloutFailed
from kiln.steps._groups import Ground, check_image, ground_of
from kiln.steps._rollouts import (
    at_rest,
    check_open,
    layer_of_rollout,
    needless,
    of_layer,
    rollout_of,
)
from kiln.steps._taking_over import holder_of, rollout_payload, rollout_row, take_over

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts
    from kiln.domain.stack import Layer
    from kiln.ports import World

# A rollout of a layer waits for the one before it.
PATIENCE_S = 7 * 86_400


class PlanRollout(Model):
    """The rollout, by image and layer; `since` is when its state was entered, `execution` the name
    of its execution."""

    image: str
    layer: str
    since: str
    execution: str = ""


class RolloutPlanned(Model):
    """Go on, instance by instance or by a refresh of the layer's group; wait first; or leave it:
    the layer runs a newer image, or what its channel has now."""

    path: Literal["go", "refresh", "wait", "over"]
    wait: LayerFree | RolloutApproved | InstancesRest | None = None


def plan_rollout(request: PlanRollout, world: World) -> RolloutPlanned:
    """Take the layer, check, record. Raises RolloutFailed."""
    rollout = rollout_of(request.image, request.layer, world)
    check_open(rollout)
    if request.execution not in ("", rollout.id, rollout.execution):
        # Somebody started it in the console: by this name it is found where it is stopped.
        name = {"execution": request.execution}
        rollout = world.records.update_rollout(rollout.model_copy(update=name))
    if not _holds(rollout, world):
        waited = LayerFree(
            kind="layer-free",
            bake=rollout.id,
            since=request.since,
            timeout_s=PATIENCE_S,
            layer=rollout.layer,
            rollout=rollout.id,
        )
        return RolloutPlanned(path="wait", wait=waited)
    if rollout.begun is None and needless(rollout, world):
        return RolloutPlanned(path="over")
    layer, image = layer_of_rollout(rollout, world), _image(rollout, world)
    newer = None if rollout.forced else _newer(rollout, image, world)
    if newer:
        return RolloutPlanned(path="over")
    ground = _check(rollout, layer, image, world)
    if rollout.begun is None:
        entries = of_layer(rollout, world)
        moving = tuple(entry.id for entry in entries if entry.state in MOVING)
        if moving and ground is None:
            # Only what has come to rest says what the layer is like before the rollout.
            return RolloutPlanned(path="wait", wait=at_rest(rollout, moving, AT_REST, world))
        found = _group(ground) if ground else _instances(layer, entries)
        rollout = _begin(rollout, found, world)
    if rollout.options.approval == "required" and not rollout.approved:
        return RolloutPlanned(path="wait", wait=_approval(rollout))
    return RolloutPlanned(path="refresh" if rollout.group else "go")


def _holds(rollout: Rollout, world: World) -> bool:
    layer, records = rollout.layer, world.records
    if records.hold_layer(layer, rollout.id):
        return True
    other = holder_of(layer, world)
    if isinstance(other, Rollout):
        # It was stopped. Its layer is put right before anybody else works on it.
        take_over(rollout_row(other, world), rollout_payload(other), world)
    if other is not None:
        return False
    return records.hold_layer(layer, rollout.id, instead_of=records.layer_holder(layer))


def _image(rollout: Rollout, world: World) -> ImageFacts:
    image = world.images.describe(rollout.image)
    if image is None or image.state != "available":
        state = f"is {image.state}" if image else "is gone"
        raise RolloutFailed(f"image {rollout.image} {state}; nothing was changed")
    return image


def _newer(rollout: Rollout, image: ImageFacts, world: World) -> str | None:
    """The newer image that the layer has taken: events may come late and out of order."""
    taken = world.records.layer_images(rollout.layer)
    current = taken[-1] if taken else None
    if current and current.image != rollout.image and current.created > image.created:
        return current.image
    return None


def _check(rollout: Rollout, layer: Layer, image: ImageFacts, world: World) -> Ground | None:
    """Refuse what cannot come to a good end; of a layer with a group, what it starts from."""
    if layer.platform and rollout.platform != layer.platform:
        raise RolloutFailed(
            f"{rollout.layer} is {layer.platform}, image {rollout.image} is {rollout.platform}"
        )
    ground = None
    types: tuple[str, ...] = (layer.instance_type,) if layer.instance_type else ()
    if layer.kind == "autoscaling" and rollout.begun is None:
        ground = _ground(rollout, layer, image, world)
        types = ground.types
    for kind in world.fleet.types(types) if types else ():
        misfits = fit(image, kind, f"layers: {rollout.layer}").misfits
        if misfits:
            raise RolloutFailed(f"{rollout.image} does not run on {kind.name}: {misfits[0]}")
    return ground


def _ground(rollout: Rollout, layer: Layer, image: ImageFacts, world: World) -> Ground:
    check_strategy(rollout.layer, rollout.strategy)
    ringing = world.alarms.ringing(rollout.options.alarms)
    if ringing:
        raise RolloutFailed(f"alarm {ringing[0]} is in ALARM; nothing was changed")
    ground = ground_of(rollout.layer, layer, world)
    check_image(ground, image, world)
    return ground


def _instances(layer: Layer, entries: tuple[LayerInstance, ...]) -> dict[str, Any]:
    """Of a layer with instances, what the rollout begins with."""
    before = tuple(i.id for i in entries if i.state is InstanceState.ONLINE)
    # A new layer starts with its count; one whose instances are all stopped keeps them so.
    return {"before": before, "size": len(before) if entries else max(1, layer.count)}


def _group(ground: Ground) -> dict[str, Any]:
    """Of a layer that is a group, what the rollout begins with."""
    found = GroupRollout(
        group=ground.group.name,
        template=ground.group.template.id,
        setting=ground.group.template.version,
        former=ground.former.number,
        reversible=is_reversible(ground.group, ground.former),
    )
    return {"group": found, "size": ground.group.size}


def _begin(rollout: Rollout, found: dict[str, Any], world: World) -> Rollout:
    begun = rollout.model_copy(update={"begun": world.clock.now().isoformat()} | found)
    world.bus.publish(
        RolloutChanged(
            rollout=rollout.id, image=rollout.image, layer=rollout.layer, status="Started"
        )
    )
    return world.records.update_rollout(begun)


def _approval(rollout: Rollout) -> RolloutApproved:
    return RolloutApproved(
        kind="rollout-approved",
        bake=rollout.id,
        since=rollout.begun or "",
        timeout_s=seconds(rollout.options.approval_within),
        image=rollout.image,
        layer=rollout.layer,
    )
