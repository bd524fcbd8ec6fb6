"""FinishRollout: record that the layer has its instance, or take back what a failed rollout
added."""

from __future__ import annotations

from kiln.domain.events import RolloutChanged
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.errors import AwsRefused, TeardownFailed
from kiln.ports import World
from kiln.steps._rollouts import added_instance, rollout_of
from kiln.steps._stack_instances import change_state


class FinishRollout(Model):
    """The rollout, by image and layer, and what failed, if anything did."""

    image: str
    layer: str
    failure: Failure | None = None


class RolloutFinished(Model):
    """How the rollout ended: the Fail state ends in `error` and `cause`."""

    status: RolloutStatus
    error: str = ""
    cause: str = ""


def finish_rollout(request: FinishRollout, world: World) -> RolloutFinished:
    """Record and announce; again is harmless. Raises TeardownFailed, AwsBusy."""
    rollout = rollout_of(request.image, request.layer, world)
    if request.failure is None:
        _online(rollout, world)
        return _end(rollout, RolloutFinished(status=RolloutStatus.SUCCEEDED), world)
    _take_back(rollout, world)
    failed = RolloutFinished(
        status=RolloutStatus.FAILED, error=request.failure.name, cause=request.failure.reason
    )
    return _end(rollout, failed, world)


def _online(rollout: Rollout, world: World) -> None:
    instance = added_instance(rollout, world)
    if instance and instance.state is not InstanceState.ONLINE:
        change_state(instance, InstanceState.ONLINE, world)


def _take_back(rollout: Rollout, world: World) -> None:
    instance = added_instance(rollout, world)
    if instance is None:
        return
    try:
        world.fleet.terminate([instance.ec2_id] if instance.ec2_id else [])
    except AwsRefused as error:
        raise TeardownFailed(f"{instance.ec2_id} of a failed rollout is left: {error}") from error
    change_state(instance, InstanceState.START_FAILED, world)
    change_state(instance, InstanceState.TERMINATED, world)


def _end(rollout: Rollout, finished: RolloutFinished, world: World) -> RolloutFinished:
    change = {
        "status": finished.status,
        "error": finished.error or None,
        "cause": finished.cause or None,
    }
    world.records.update_rollout(rollout.model_copy(update=change))
    world.bus.publish(
        RolloutChanged(
            rollout=rollout.id,
            image=rollout.image,
            layer=rollout.layer,
            status="Failed" if finished.error else "Succeeded",
            cause=finished.cause,
        )
    )
    return finished
