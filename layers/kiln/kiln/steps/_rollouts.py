"""What the steps of a rollout share: its record and the instance that it adds."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

from kiln.domain.instance import LayerInstance
from kiln.domain.rollout import Rollout
from kiln.domain.stack import split_layer
from kiln.errors import RolloutFailed
from kiln.ports import World


def rollout_of(image: str, layer: str, world: World) -> Rollout:
    """The rollout's record. RolloutFailed where there is none."""
    rollout = world.records.rollout(image, layer)
    if rollout is None:
        raise RolloutFailed(f"no rollout of {image} to {layer} is recorded; start it by its event")
    return rollout


def added_id(rollout: Rollout) -> str:
    """The id, in its stack, of the instance that a rollout adds."""
    return str(uuid5(NAMESPACE_OID, rollout.id))


def added_instance(rollout: Rollout, world: World) -> LayerInstance | None:
    """The record of the instance that a rollout has added."""
    stack, _ = split_layer(rollout.layer)
    wanted = added_id(rollout)
    return next((i for i in world.records.instances(stack) if i.id == wanted), None)
