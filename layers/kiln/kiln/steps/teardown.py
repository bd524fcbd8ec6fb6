"""Teardown: undo by tag whatever a bake made and does not need. Every path of the bake goes
through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.bake import Adoption, BakeRecord, BakeStatus, Seal, Skipped
from kiln.domain.events import BakeFailed
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.domain.naming import BAKE_ID, TAG_ROLE, bake_of
from kiln.errors import AwsRefused, TeardownFailed
from kiln.steps._distribution import undo_copies
from kiln.steps._images import remove_image
from kiln.steps._instances import remove, through
from kiln.steps._pausing import end_row, note_failure
from kiln.steps._stopping import Stop, stopped_key
from kiln.steps._turns import give_back
from kiln.steps.launch_builder import adopted_id
from kiln.steps.plan_bake import PlanBake, asked_about

if TYPE_CHECKING:
    from kiln.ports import InstanceFacts, World

# The way of an adopted builder out of its stack.
_GONE = (InstanceState.STOPPING, InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED)


class Teardown(Model):
    """The bake (the execution's name where it was never planned), what failed, if anything did, or
    why it was skipped, if it was; and what PlanBake was `asked`. `ended` says that the execution
    is over and did not come through here, or may not have: then it tells itself what failed."""

    bake: str
    failure: Failure | None = None
    skipped: Skipped | None = None
    asked: PlanBake | None = None
    ended: bool = False


class TornDown(Model):
    """How the bake ended: the Fail state ends in `error` and `cause`; one that was skipped says
    why, and what its `image` would have been."""

    status: BakeStatus
    error: str = ""
    cause: str = ""
    image: str | None = None


def teardown(request: Teardown, world: World) -> TornDown:
    """Remove, record, announce, let the next bake go; again is harmless. Raises TeardownFailed,
    AwsBusy."""
    bake = _bake(request, world)
    record = world.records.bake(bake)
    if request.ended:
        return _after(request, bake, record, world)
    ended = _torn(request, bake, record, world)
    give_back(bake, world)
    return ended


def _bake(request: Teardown, world: World) -> str:
    """The bake's id; that of an execution with a name of its own by what was asked, or by its
    turn."""
    asked = request.asked
    if BAKE_ID.match(request.bake):
        return request.bake
    if asked:
        name = asked_about(asked.request)
        return bake_of(name, asked.execution, asked.started) if name else request.bake
    turn = world.turns.line().by_execution(request.bake)
    return turn.bake if turn else request.bake


def _torn(request: Teardown, bake: str, record: BakeRecord | None, world: World) -> TornDown:
    """A bake's own end."""
    failure = request.failure
    why = request.skipped or (record.skipped if record else None)
    if why and failure is None:
        return TornDown(status=BakeStatus.SKIPPED, cause=why.reason, image=why.image)
    if failure is None:
        return _succeeded(bake, record, world)
    ended = _failed(bake, failure, record, world)
    if BAKE_ID.match(bake):
        note_failure(
            bake, failure.name, record, request.asked.request if request.asked else {}, world
        )
    return ended


def _succeeded(bake: str, record: BakeRecord | None, world: World) -> TornDown:
    if record:
        _remove(bake, record, None, world)
        end_row(record, world)
    return _end(record, TornDown(status=BakeStatus.SUCCEEDED), "", world)


def _failed(bake: str, failure: Failure, record: BakeRecord | None, world: World) -> TornDown:
    kept = _remove(bake, record, failure, world) if record else []
    cause = failure.reason + "".join(_how_to_connect(instance) for instance in kept)
    ended = TornDown(status=BakeStatus.FAILED, error=failure.name, cause=cause)
    return _end(record, ended, failure.state, world, bake=bake)


def _after(request: Teardown, bake: str, record: BakeRecord | None, world: World) -> TornDown:
    """The end of a bake whose execution is over. That somebody stopped it is no failure of its
    blueprint, and counts in no row."""
    name = (record and record.execution) or request.bake
    found = world.machines.look("bake", name)
    if found is None or found.status == "RUNNING":
        return _as_it_is(record)
    if found.status in ("ABORTED", "TIMED_OUT") and _is_planned(record):
        world.records.claim(stopped_key(name), found.status)
        record = world.records.bake(bake)
    ended = _as_it_is(record)
    if record and record.ended is None and found.status != "SUCCEEDED":
        stop = Stop(found.status, found.error, found.cause)
        ended = _failed(bake, stop.failure(bake), record, world)
    give_back(bake, world)
    return ended


def _is_planned(record: BakeRecord | None) -> bool:
    """Whether PlanBake may be under way."""
    return record is None or record.status is BakeStatus.WAITING


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
