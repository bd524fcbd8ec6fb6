"""PlanBake: load and check the blueprint, resolve its base, take the bake's turn, decide whether
there is anything to make, write the bake's record. Launches nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.bake import BakePlan, BakeRecord, BakeStatus, Seal, Skipped
from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.events import BakeStarted
from kiln.domain.model import Model, Text
from kiln.domain.naming import NAME, bake_of
from kiln.domain.platforms import Family
from kiln.domain.rebuild import Trigger
from kiln.domain.turns import BEGIN_AT_ONCE, BEGIN_EVERY_S, LONGEST_WAIT_S, Turn, turn_for
from kiln.errors import AwsBusy, BakeRefused, InvalidBlueprint, Refused
from kiln.steps._pausing import stopped_by_pause
from kiln.steps._planning import PlanOrder, make_plan
from kiln.steps._skipping import fingerprint_of, same_image
from kiln.steps._stopping import Stop, stopped, stopped_key
from kiln.steps._turns import drop_turn, take_turn
from kiln.steps._versions import version_of

if TYPE_CHECKING:
    from kiln.ports import World


class BakeRequest(Model):
    """An execution's input: the name of a stored blueprint, or a whole blueprint inline. With
    `force` it is baked although nothing has changed."""

    blueprint: Text | dict[str, Any]
    version: int | None = None
    overrides: dict[str, Any] = {}
    trigger: Trigger = Trigger.MANUAL
    force: bool = False


class PlanBake(Model):
    """The input with the execution's name and start (ISO 8601)."""

    request: dict[str, Any]
    execution: str
    started: datetime


class BakePlanned(Model):
    """What the state machine needs to go on: whether the bake goes (in `begin_in_s` seconds), waits
    for its turn (at most `wait_s` seconds since `asked`) or is skipped; how many steps and tests
    there are, whether to inspect the builder first, and how to seal it."""

    bake: str
    blueprint: str
    version: int
    verdict: Literal["go", "wait", "skip"] = "go"
    skipped: Skipped | None = None
    asked: str = ""
    wait_s: int = LONGEST_WAIT_S
    begin_in_s: int = 0
    steps: int = 0
    tests: int = 0
    inspect: bool = False
    seal: Seal = Seal.STOP


def plan_bake(request: PlanBake, world: World) -> BakePlanned:
    """Decide everything about a bake, anew each time its turn may have come. Raises what
    `make_plan` raises, InvalidBlueprint and BakeRefused."""
    asked = asked_for(request.request)
    version, document = _load(asked, world)
    blueprint = blueprint_from(document)
    bake = bake_of(blueprint.name, request.execution, request.started)
    turn = turn_for(bake, request.execution, request.started)
    known = world.records.bake(bake)
    if known and known.status is not BakeStatus.WAITING:
        return _planned(known, turn, world)
    order = PlanOrder(document, version, bake, request.started)
    paused = stopped_by_pause(blueprint.name, version, asked.trigger, world)
    if paused:
        return _paused(order, paused, asked, turn, world)
    plan = make_plan(order, world)
    plan = plan.model_copy(update={"fingerprint": fingerprint_of(plan, world)[0]})
    return _planned(_decided(plan, asked, turn, known, world), turn, world)


def _decided(
    plan: BakePlan, asked: BakeRequest, turn: Turn, known: BakeRecord | None, world: World
) -> BakeRecord:
    """The bake's record, written: it goes, stands in line or makes nothing."""
    try:
        record = _taken(plan, asked, turn, known, world)
    except AwsBusy:
        over = world.records.bake(plan.bake)
        if over is None or over.ended is None:
            raise
        # Teardown has ended it meanwhile, and cannot have known of a turn taken since.
        drop_turn(turn, world)
        return over
    status = world.records.claimed(stopped_key(turn.execution))
    if status is None:
        return record
    # Teardown came and went while this was decided: what it did not find is ended here.
    drop_turn(turn, world)
    return world.records.update_bake(stopped(record, Stop(status), world))


def _taken(
    plan: BakePlan, asked: BakeRequest, turn: Turn, known: BakeRecord | None, world: World
) -> BakeRecord:
    """The turn comes first: whoever had it before may have made this very image."""
    goes = take_turn(turn, world)
    same = None if _is_forced(plan.blueprint, asked) else same_image(plan, world)
    if goes and not same:
        wait_s = world.turns.next_begin(BEGIN_EVERY_S, BEGIN_AT_ONCE)
        begin = world.clock.now() + timedelta(seconds=max(0.0, wait_s))
        plan = plan.model_copy(update={"turn": begin})
    status = BakeStatus.RUNNING if goes else BakeStatus.WAITING
    record = _record(plan, asked, turn).model_copy(update={"status": status})
    if same:
        return _write(_skipped(record, same, world), known, world)
    if goes:
        return _started(record, known, world)
    _write(record, known, world)
    _check_second(plan.blueprint, turn, world)
    world.turns.stand(turn)
    return record


def _record(plan: BakePlan, asked: BakeRequest, turn: Turn) -> BakeRecord:
    execution = turn.execution if turn.execution != plan.bake else ""
    return BakeRecord(plan=plan, trigger=asked.trigger, execution=execution)


def _is_forced(blueprint: Blueprint, asked: BakeRequest) -> bool:
    always = asked.trigger is Trigger.SCHEDULE and blueprint.rebuild.when == "always"
    return asked.force or always


def _skipped(record: BakeRecord, why: Skipped, world: World) -> BakeRecord:
    change = {"status": BakeStatus.SKIPPED, "skipped": why, "ended": world.clock.now()}
    return record.model_copy(update=change)


def _write(record: BakeRecord, known: BakeRecord | None, world: World) -> BakeRecord:
    if known:
        return _over(known, record, world)
    world.records.add_bake(record)
    return record


def _over(known: BakeRecord, record: BakeRecord, world: World) -> BakeRecord:
    return world.records.update_bake(record.model_copy(update={"revision": known.revision}))


def _started(record: BakeRecord, known: BakeRecord | None, world: World) -> BakeRecord:
    if known is None and not world.records.add_bake(record):
        # A doubled call was faster, and has told it.
        return record
    if known:
        record = _over(known, record, world)
    plan = record.plan
    world.bus.publish(
        BakeStarted(
            bake=plan.bake,
            blueprint=plan.blueprint.name,
            version=plan.version,
            base=plan.base.id,
        )
    )
    return record


def _check_second(blueprint: Blueprint, turn: Turn, world: World) -> None:
    """Raise BakeRefused for a second bake that shall not wait for the first."""
    if blueprint.rebuild.second == "wait":
        return
    (first, *_) = world.turns.line().in_the_way(turn) or (None,)
    if first and first.blueprint == turn.blueprint:
        raise BakeRefused(
            f"{first.bake} is under way, and rebuild.second of {turn.blueprint} is refuse; bake "
            "again when it has ended"
        )


def _paused(
    order: PlanOrder, why: Skipped, asked: BakeRequest, turn: Turn, world: World
) -> BakePlanned:
    """A bake that is stopped by a pause. What is wrong with the blueprint is known by then: without
    a plan there is no record, and it does not fail anew."""
    try:
        plan = make_plan(order, world)
    except Refused:
        return BakePlanned(
            bake=order.bake,
            blueprint=turn.blueprint,
            version=order.version,
            verdict="skip",
            skipped=why,
        )
    record = _skipped(_record(plan, asked, turn), why, world)
    return _planned(_write(record, world.records.bake(order.bake), world), turn, world)


def _load(request: BakeRequest, world: World) -> tuple[int, dict[str, Any]]:
    if isinstance(request.blueprint, dict):
        return request.version or 0, merged(request.blueprint, request.overrides)
    found = version_of(request.blueprint, request.version, world)
    return found.number, merged(found.document, request.overrides)


def asked_for(given: dict[str, Any]) -> BakeRequest:
    """An execution's input. Raises InvalidBlueprint for one that asks for no bake."""
    # What a bus or a scheduler adds beside our keys is none of our business.
    known = {key: value for key, value in given.items() if key in BakeRequest.model_fields}
    try:
        return BakeRequest.model_validate(known)
    except ValueError as error:
        raise InvalidBlueprint(
            'the input needs `blueprint`: the name of a stored one, as in {"blueprint": "web"}, '
            "or a whole blueprint"
        ) from error


def asked_about(given: dict[str, Any]) -> str | None:
    """The name of the blueprint that an execution's input asks for, None where it asks for none
    that could be."""
    blueprint = given.get("blueprint")
    name = blueprint.get("name") if isinstance(blueprint, dict) else blueprint
    return name if isinstance(name, str) and NAME.match(name) else None


def merged(document: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The document with the overrides laid over it, mapping by mapping."""
    result = dict(document)
    for key, value in overrides.items():
        inner = result.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        result[key] = merged(inner, value) if both else value  # type: ignore[arg-type]
    return result


_VERDICTS: dict[BakeStatus, Literal["go", "wait", "skip"]] = {
    BakeStatus.WAITING: "wait",
    BakeStatus.SKIPPED: "skip",
}


def _planned(record: BakeRecord, turn: Turn, world: World) -> BakePlanned:
    # A call that is repeated finds the time that was booked.
    left = record.plan.turn - world.clock.now() if record.plan.turn else timedelta()
    plan, blueprint = record.plan, record.plan.blueprint
    return BakePlanned(
        bake=plan.bake,
        blueprint=blueprint.name,
        version=plan.version,
        verdict=_VERDICTS.get(record.status, "go"),
        skipped=record.skipped,
        asked=turn.asked,
        begin_in_s=max(0, round(left.total_seconds())),
        steps=len(blueprint.steps),
        tests=len(blueprint.verify.steps),
        inspect=blueprint.family is Family.WINDOWS,
        seal=plan.seal,
    )
