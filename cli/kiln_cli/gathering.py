"""Putting a bake's result together from the execution, the records and EC2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.identity import Facts, parse_facts, side_by_side
from kiln.domain.naming import blueprint_of
from kiln.domain.rollout import Rollout
from kiln.domain.stack import split_layer
from kiln.domain.turns import Line
from kiln.errors import AwsRefused
from kiln.ports import World
from kiln_cli import history, timing
from kiln_cli.ledgers import Ledger
from kiln_cli.place import Place
from kiln_cli.result import (
    BakeOutcome,
    BakeResult,
    Identity,
    ImageOutcome,
    InstanceOutcome,
    PlaceOutcome,
    RolloutOutcome,
    SkippedOutcome,
    StateSpan,
)


@dataclass(frozen=True)
class Ended:
    """A bake with its execution and its history."""

    bake: str
    execution: history.Execution
    events: list[history.Event]
    record: BakeRecord | None


def gather(place: Place, ledger: Ledger, bake: str) -> BakeResult:
    """The result of a bake as it stands now."""
    return result_of(look_up(place, bake), place, ledger)


def result_of(ended: Ended, place: Place, ledger: Ledger) -> BakeResult:
    """The result of a bake that was looked up."""
    bake = ended.bake
    image = _image(ended, place.world)
    execution = ended.execution
    spans = history.spans(ended.events, execution)
    guess = timing.estimate(place.world.records.bakes(blueprint_of(bake)))
    return BakeResult(
        bake=_outcome(ended, place.world),
        image=image,
        states=tuple(
            StateSpan(name=s.name, entered_s=s.entered_s, exited_s=s.exited_s) for s in spans
        ),
        calls=ledger.calls(execution.began),
        commands=tuple(ledger.commands(bake, history.sent_commands(ended.events))),
        identity=_identity(ended.events, place.world),
        places=places(image.id, place.world) if image else (),
        rollouts=rollouts(image.id, place.world) if image else (),
        makespan_s=_makespan(execution),
        aws_s=ledger.aws_s(bake, execution),
        leaks=tuple(_leaks(ledger, ended, image, place.world)),
        faults=ledger.faults(),
        throttled=ledger.throttled(),
        time=timing.parts(spans, elapsed(execution, place.world)) if spans else (),
        expected_s=round(guess.seconds, 3) if guess else None,
    )


def elapsed(execution: history.Execution, world: World) -> float:
    """Seconds from its begin to its end, or to now."""
    return ((execution.ended or world.clock.now()) - execution.began).total_seconds()


def look_up(place: Place, bake: str) -> Ended:
    """The execution of a bake with its history and record."""
    arn, stepfunctions = place.execution(bake), place.client("stepfunctions")
    record = place.world.records.bake(bake)
    try:
        execution = history.describe(stepfunctions, arn)
        return Ended(bake, execution, history.events(stepfunctions, arn), record)
    except AwsRefused as error:
        if record is None or error.code != "ExecutionDoesNotExist":
            raise
    # Started under a name of its own (console, scheduler), or older than the 90 days that Step
    # Functions keeps: the record is what is left to tell.
    return Ended(bake, _recorded(record), [], record)


def _recorded(record: BakeRecord) -> history.Execution:
    return history.Execution(
        record.status.value, record.plan.started, record.ended, record.error, record.cause
    )


def _outcome(ended: Ended, world: World) -> BakeOutcome:
    execution, record = ended.execution, ended.record
    skipped = _skipped(ended)
    waits = record and record.status is BakeStatus.WAITING and execution.ended is None
    status = "SKIPPED" if skipped else "WAITING" if waits else execution.status
    return BakeOutcome(
        id=ended.bake,
        blueprint=blueprint_of(ended.bake),
        version=record.plan.version if record else None,
        status=status,
        error=execution.error or None,
        cause=execution.cause or None,
        skipped=skipped,
        waits_for=waiting_for(ended.bake, world.turns.line(), world) if waits else None,
    )


def _skipped(ended: Ended) -> SkippedOutcome | None:
    """Why it made nothing; one of a paused blueprint that cannot be planned has no record."""
    found: Any = history.skipped(ended.events)
    if ended.record and ended.record.skipped:
        found = ended.record.skipped.model_dump()
    return SkippedOutcome.model_validate(found) if found else None


def waiting_for(bake: str, line: Line, world: World) -> str | None:
    """What a bake that stands in line waits for, in words; None for one that stands in none."""
    turn = line.of(bake)
    if turn is None or line.has(turn):
        return None
    return line.obstacle(turn, world.settings.max_bakes)


def _image(ended: Ended, world: World) -> ImageOutcome | None:
    # A failed bake has no image: one that is still there is a leak, and is listed as one; unless it
    # was good, and only a part of its distribution failed.
    good = ended.record and ended.record.image and world.records.image(ended.record.image)
    if ended.execution.status not in ("RUNNING", "SUCCEEDED") and not good:
        return None
    made = world.images.of_bake(ended.bake)
    if not made:
        return None
    image = made[-1]
    return ImageOutcome(
        id=image.id,
        name=image.name,
        state=image.state,
        root_device=image.root_device_type,
        tags=image.tags,
    )


def _identity(events: list[history.Event], world: World) -> Identity | None:
    asked = history.judged(events)
    if asked is None:
        return None
    builder, clone = (_facts(asked[side], world) for side in ("builder", "clone"))
    return Identity(builder=side_by_side(builder, clone), clone=side_by_side(clone, builder))


def _facts(source: dict[str, str], world: World) -> Facts:
    try:
        output = world.commands.output(source["command"], source["instance"], "facts")
    except AwsRefused:  # Run Command forgets after 30 days
        return {}
    return parse_facts(output.stdout)


def rollouts(image: str, world: World) -> tuple[RolloutOutcome, ...]:
    """An image's rollouts with the instances that they added."""
    return tuple(_rollout(rollout, world) for rollout in world.records.rollouts(image))


def _rollout(rollout: Rollout, world: World) -> RolloutOutcome:
    stack, layer = split_layer(rollout.layer)
    added = [
        i for i in world.records.instances(stack) if (i.layer, i.image) == (layer, rollout.image)
    ]
    return RolloutOutcome(
        layer=rollout.layer,
        status=rollout.status.value,
        instances=tuple(InstanceOutcome(id=i.ec2_id or i.id, state=i.state.value) for i in added),
        cause=rollout.cause,
    )


def _makespan(execution: history.Execution) -> float | None:
    if execution.ended is None:
        return None
    return round((execution.ended - execution.began).total_seconds(), 3)


def places(image: str, world: World) -> tuple[PlaceOutcome, ...]:
    """Where an image is, and where it should be."""
    return tuple(
        PlaceOutcome(
            region=place.region,
            image=place.image,
            status=place.status,
            cause=f"{place.error}: {place.cause}" if place.error else None,
        )
        for place in world.records.places(image)
    )


def _leaks(
    ledger: Ledger, ended: Ended, image: ImageOutcome | None, world: World
) -> list[dict[str, str]]:
    if ended.execution.status in ("RUNNING", "WAITING"):
        return []
    record = ended.record
    failed = ended.execution.status != "SUCCEEDED"
    kept = bool(record and failed and record.plan.blueprint.on_failure == "keep")
    images = {image.id} if image else set()
    if image:
        # A copy is good once it is recorded as more than on its way.
        known = world.records.places(image.id)
        images |= {p.image for p in known if p.image and p.status != "pending"}
    return ledger.leaks(ended.bake, images, kept)
