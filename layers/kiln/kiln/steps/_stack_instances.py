"""A layer's instance changes state: recorded, then announced in OpsWorks's shape."""

from __future__ import annotations

from kiln.domain.events import InstanceStateChange
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.ports import World


def change_state(instance: LayerInstance, state: InstanceState, world: World) -> LayerInstance:
    """Record the instance in its new state and announce it. TERMINATED drops the record."""
    changed = instance.model_copy(update={"state": state})
    if state is InstanceState.TERMINATED:
        world.records.remove_instance(changed)
    else:
        world.records.put_instance(changed)
    world.bus.publish(
        InstanceStateChange(
            initiated_by="user" if state is InstanceState.REQUESTED else None,
            hostname=changed.hostname,
            stack_id=changed.stack,
            layer_ids=(changed.layer,),
            instance_id=changed.id,
            ec2_instance_id=changed.ec2_id,
            status=state.value,
        )
    )
    return changed
