"""FinishRollout: record how a rollout ended, announce it, and give the layer free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.events import RolloutChanged
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.steps._instances import write
from kiln.steps._rollouts import needless, of_layer, rollout_of

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts
    from kiln.ports import World


class FinishRollout(Model):
    """The rollout, by image and layer; what failed, if anything did; what failed on the way back,
    if anything did; and whether it was left because the layer runs a newer image."""

    image: str
    layer: str
    failure: Failure | None = None
    undo_failure: Failure | None = None
    skipped: bool = False


class RolloutFinished(Model):
    """How the rollout ended: the Fail state ends in `error` and `cause`."""

    status: RolloutStatus
    error: str = ""
    cause: str = ""


def finish_rollout(request: FinishRollout, world: World) -> RolloutFinished:
    """Announce and record; again is harmless: what is recorded stays as it is. AwsBusy."""
    rollout = rollout_of(request.image, request.layer, world)
    finished = _recorded(rollout) or _ended(request, rollout, world)
    world.records.release_layer(rollout.layer, rollout.id)
    return finished


def _recorded(rollout: Rollout) -> RolloutFinished | None:
    if rollout.status is RolloutStatus.RUNNING:
        return None
    error, cause = rollout.error or "", rollout.cause or ""
    return RolloutFinished(status=rollout.status, error=error, cause=cause)


def _ended(request: FinishRollout, rollout: Rollout, world: World) -> RolloutFinished:
    finished = _judged(request, rollout, world)
    if finished.status is RolloutStatus.SUCCEEDED:
        _taken(rollout, world)
    # Announced first: a crash in between makes the next attempt announce it again, and an event
    # that comes twice harms nobody, while one that never comes would.
    _announce(request, rollout, finished, world)
    change = {
        "status": finished.status,
        "error": finished.error or None,
        "cause": finished.cause or None,
    }
    world.records.close_rollout(rollout.model_copy(update=change))
    return finished


def _judged(request: FinishRollout, rollout: Rollout, world: World) -> RolloutFinished:
    if request.skipped:
        newer = f"{rollout.layer} runs a newer image than {rollout.image}"
        cause = needless(rollout, world) or newer
        return RolloutFinished(status=RolloutStatus.SKIPPED, cause=cause)
    failure = request.failure
    if failure is None:
        return RolloutFinished(status=RolloutStatus.SUCCEEDED)
    if rollout.committed:
        # The layer has changed over; what could not be deleted is said, not undone.
        return RolloutFinished(status=RolloutStatus.SUCCEEDED, cause=failure.reason)
    cause = failure.reason
    if request.undo_failure:
        cause += f"; and the layer is not as it was: {request.undo_failure.reason}"
    return RolloutFinished(status=RolloutStatus.FAILED, error=failure.name, cause=cause)


def _taken(rollout: Rollout, world: World) -> None:
    """The image is the layer's now, for its stopped instances too: what they had of the one before
    goes, and their next start is a launch."""
    image = world.images.describe(rollout.image)
    world.records.add_layer_image(
        LayerImage(
            layer=rollout.layer,
            image=rollout.image,
            created=image.created if image else "",
            rollout=rollout.id,
            at=rollout.begun or world.clock.now().isoformat(),
        )
    )
    if rollout.strategy == "add" or rollout.group:
        # A group's instances are its own affair.
        return
    for entry in of_layer(rollout, world):
        stays = entry.state is InstanceState.STOPPED and entry.change is None
        if stays and entry.image != rollout.image:
            if entry.ec2_id:
                world.fleet.terminate([entry.ec2_id])
            write(entry, world, image=rollout.image, ec2_id=None, **_made_for(rollout, image))


def _made_for(rollout: Rollout, image: ImageFacts | None) -> dict[str, str]:
    """What an instance's record says of its image."""
    return {
        "platform": rollout.platform,
        "architecture": rollout.architecture,
        "root_device": image.root_device_type if image else "ebs",
    }


def _announce(
    request: FinishRollout, rollout: Rollout, finished: RolloutFinished, world: World
) -> None:
    if rollout.begun is None:
        return
    changed = RolloutChanged(
        rollout=rollout.id,
        image=rollout.image,
        layer=rollout.layer,
        status="Failed" if finished.error else "Succeeded",
        cause=finished.cause,
    )
    world.bus.publish(changed)
    if finished.error and not request.undo_failure:
        world.bus.publish(changed.model_copy(update={"status": "Rolled Back"}))
