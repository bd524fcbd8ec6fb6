"""Teardown: undo by tag whatever a bake made and does not need. Every path of the bake goes
through here."""

from __future__ import annotations

from typing import Any

from kiln.domain.bake import Adoption, BakeRecord, BakeStatus, Seal
from kiln.domain.events import BakeFailed
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.domain.naming import BAKE_ID, TAG_ROLE
from kiln.errors import AwsRefused, TeardownFailed
from kiln.ports import InstanceFacts, World
from kiln.steps._distribution import undo_copies
from kiln.steps._images import remove_image
from kiln.steps._instances import remove, through
from kiln.steps.launch_builder import adopted_id

# The way of an adopted builder out of its stack.
_GONE = (InstanceState.STOPPING, InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED)


class Teardown(Model):
    """The bake (the execution's name where it was never planned) and what failed, if anything
    did. `ended` says that the execution is over and did not come through here, or may not have:
    then it tells itself what failed."""

    bake: str
    failure: Failure | None = None
    ended: bool = False


class TornDown(Model):
    """How the bake ended: the Fail state ends in `error` and `cause`."""

    status: BakeStatus
    error: str = ""
    cause: str = ""


def teardown(request: Teardown, world: World) -> TornDown:
    """Remove, record, announce; again is harmless. Raises TeardownFailed, AwsBusy."""
    record = world.records.bake(request.bake)
    failure = request.failure
    if request.ended:
        failure = _why_ended(request.bake, world)
        if failure is None or record is None or record.ended:
            return _as_it_is(record)
    kept = _remove(request.bake, record, failure, world) if record else []
    if failure is None:
        return _end(record, TornDown(status=BakeStatus.SUCCEEDED), "", world)
    cause = failure.reason + "".join(_how_to_connect(instance) for instance in kept)
    ended = TornDown(status=BakeStatus.FAILED, error=failure.name, cause=cause)
    return _end(record, ended, failure.state, world, bake=request.bake)


def _why_ended(bake: str, world: World) -> Failure | None:
    """What ended an execution that is over; None for one that runs, or has succeeded."""
    found = world.machines.look("bake", bake)
    if found is None or found.status in ("RUNNING", "SUCCEEDED"):
        return None
    stopped = f"the execution of {bake} was stopped from outside ({found.status})"
    return Failure(error=found.error or found.status, cause=found.cause or stopped)


def _as_it_is(record: BakeRecord | None) -> TornDown:
    status = record.status if record else BakeStatus.RUNNING
    return TornDown(
        status=status,
        error=(record and record.error) or "",
        cause=(record and record.cause) or "",
    )


def _remove(
    bake: str, record: BakeRecord | None, failure: Failure | None, world: World
) -> list[InstanceFacts]:
    """Remove what the bake made; the instances that its blueprint wants kept after a failure."""
    keep = bool(record and failure and record.plan.blueprint.on_failure == "keep")
    running = world.fleet.of_bake(bake)
    kept = [i for i in running if keep and i.tags.get(TAG_ROLE) == "builder"]
    try:
        world.fleet.terminate([i.id for i in running if i not in kept])
        if failure:
            _remove_images(bake, record, world)
        for volume in world.fleet.volumes_of_bake(bake):
            world.fleet.delete_volume(volume)
    except AwsRefused as error:
        raise TeardownFailed(f"bake {bake} has left something behind: {error}") from error
    if record and record.plan.adoption:
        _leave_stack(record.plan.adoption, bake, world)
    return kept


def _remove_images(bake: str, record: BakeRecord | None, world: World) -> None:
    """What the bake made of images and snapshots. One that is recorded is verified and stays, with
    the copies that are available; what failed was a part of its distribution."""
    good = world.records.image(record.image) if record and record.image else None
    if good:
        undo_copies(good, world)
        return
    for image in world.images.of_bake(bake):
        remove_image(image, world)
    if record and record.plan.seal is Seal.BUNDLE:
        # Parts that no image stands for: the bake failed before or while it was registered.
        world.bundles.remove(world.bundles.location(bake))
    for snapshot in world.images.snapshots_of_bake(bake):
        world.images.delete_snapshot(snapshot)


def _leave_stack(adoption: Adoption, bake: str, world: World) -> None:
    for instance in world.records.instances(adoption.stack):
        if instance.id == adopted_id(bake):
            remove(through(instance, _GONE, world), world)
    world.records.release_healing(f"{adoption.stack}/{adoption.layer}", bake)


def _is_recorded(record: BakeRecord, world: World) -> bool:
    """Whether its image is verified, so that it has stayed."""
    return bool(record.image and world.records.image(record.image))


def _how_to_connect(instance: InstanceFacts) -> str:
    start = ""
    if instance.state in ("stopping", "stopped"):
        start = f"start it with `aws ec2 start-instances --instance-ids {instance.id}`, "
    return (
        f"\nThe builder {instance.id} is kept, as on_failure asks; {start}connect with "
        f"`aws ssm start-session --target {instance.id}` and end it with "
        f"`aws ec2 terminate-instances --instance-ids {instance.id}`."
    )


def _end(
    record: BakeRecord | None, ended: TornDown, state: str, world: World, bake: str = ""
) -> TornDown:
    if ended.status is BakeStatus.FAILED:
        known = BAKE_ID.match(bake)
        world.bus.publish(
            BakeFailed(
                bake=bake,
                blueprint=known["blueprint"] if known else "",
                error=ended.error,
                cause=ended.cause,
                state=state,
            )
        )
    if record:
        change: dict[str, Any] = {
            "status": ended.status,
            "error": ended.error or None,
            "cause": ended.cause or None,
            "state": state or None,
            "ended": world.clock.now(),
        }
        if record.image and ended.status is BakeStatus.FAILED and not _is_recorded(record, world):
            change["image"] = None
        world.records.update_bake(record.model_copy(update=change))
    return ended
