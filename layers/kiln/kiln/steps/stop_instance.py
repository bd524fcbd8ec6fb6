"""StopInstance: ask EC2 to stop a layer's instance, or to terminate one that cannot stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.healing import STOPS_WITHIN_S
from kiln.domain.model import Model
from kiln.domain.waiting import InstanceGone as GoneWait
from kiln.domain.waiting import InstanceStopped
from kiln.errors import AwsRefused, StopFailed
from kiln.steps._instances import found
from kiln.steps._stacks import layer_of
from kiln.steps.stop_builder import STOPPED_WITHIN_S

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln.ports import World


class StopInstance(Model):
    """The instance, by its own id; `terminate` for one that is deleted, `heal` for one whose agent
    is lost, `force` where its system has not gone down."""

    stack: str
    instance: str
    execution: str
    terminate: bool = False
    heal: bool = False
    force: bool = False


class InstanceStops(Model):
    """What to wait for: nothing, where there is no EC2 instance."""

    wait: InstanceStopped | GoneWait | None


def stop_instance(request: StopInstance, world: World) -> InstanceStops:
    """Ask for the stop; asking twice is harmless. Raises StopFailed."""
    entry = found(request.stack, request.instance, world)
    state = _ec2_state(entry, world)
    # An Auto Scaling group terminates its instances itself.
    if state == "terminated" or layer_of(entry, world).kind == "autoscaling":
        return InstanceStops(wait=None)
    instance = entry.ec2_id or ""
    common: dict[str, Any] = {
        "bake": request.execution,
        "since": world.clock.now().isoformat(),
        "timeout_s": STOPS_WITHIN_S if request.heal else STOPPED_WITHIN_S,
        "instance": instance,
    }
    if state == "shutting-down":
        # Somebody else has terminated it; it cannot stop any more.
        return InstanceStops(wait=GoneWait(kind="instance-gone", **common))
    try:
        # EC2 cannot stop an instance whose root is an instance store.
        if request.terminate or entry.root_device != "ebs":
            world.fleet.terminate([instance])
            return InstanceStops(wait=GoneWait(kind="instance-gone", **common))
        world.fleet.stop(instance, request.force)
    except AwsRefused as error:
        raise StopFailed(f"{entry.hostname} could not be stopped: {error}") from error
    return InstanceStops(wait=InstanceStopped(kind="instance-stopped", **common))


def _ec2_state(entry: LayerInstance, world: World) -> str:
    """EC2's word; one that it does not know is long terminated."""
    known = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    return known.state if known else "terminated"
