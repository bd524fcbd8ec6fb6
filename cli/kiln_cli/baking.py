"""`kiln bake`: check as PlanBake does, start, wait for the bake and its rollouts, gather."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Any

from kiln.adapters._errors import translated
from kiln.domain.bake import BakePlan
from kiln.domain.channel import CHANNELS, Channel
from kiln.domain.naming import bake_id
from kiln.domain.rollout import RolloutStatus
from kiln.domain.stack import takers
from kiln.domain.version import split_version
from kiln.errors import ImageFailed, InvalidBlueprint, Refused
from kiln.ports import World
from kiln.steps._planning import PlanOrder, make_plan
from kiln.steps._versions import next_number, version_of
from kiln_cli import history
from kiln_cli.applying import store_blueprint
from kiln_cli.files import BlueprintFile, read_blueprint
from kiln_cli.gathering import gather
from kiln_cli.ledgers import Ledger
from kiln_cli.place import Place
from kiln_cli.printing import progress
from kiln_cli.promoting import Wish as PromotionWish
from kiln_cli.promoting import promote
from kiln_cli.result import BakeResult, RolloutOutcome

# A rollout starts seconds after its image is announced; minutes later it is lost.
ROLLOUT_STARTS_WITHIN = 300.0


@dataclass(frozen=True)
class Pace:
    """How to wait: `sleep` takes seconds, `pauses` are the seconds between two looks; `tell` is
    called at each look."""

    sleep: Callable[[float], None]
    pauses: Callable[[], Iterator[float]]
    tell: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Wanted:
    """What to bake: a document from a file, or a `version` from the table. Errors call it by its
    `label`."""

    name: str
    document: dict[str, Any]
    label: str
    file: BlueprintFile | None = None
    version: int | None = None


def wanted_from(target: str, path: Path | None, place: Place) -> Wanted:
    """A blueprint by file, else by the name under which it is stored, with `@N` its version N."""
    if path:
        file = read_blueprint(path)
        return Wanted(file.blueprint.name, file.document, str(path), file)
    name, number = split_version(target)
    try:
        stored = version_of(name, number, place.world)
    except InvalidBlueprint as error:
        raise InvalidBlueprint(f"{target}: is no file, and {error}") from error
    return Wanted(name, stored.document, stored.label, version=stored.number)


def bake_bases(wanted: Wanted, place: Place, pace: Pace) -> None:
    """Bake the blueprints below this one first: a fresh local AWS has no image of theirs."""
    for child, base in reversed(list(pairwise((wanted, *_bases(wanted))))):
        plan = check(base, place)
        progress(f"bake {start(base, plan, place)} of its base {base.label} has started")
        execution = wait(plan.bake, place, pace)
        if execution.status != "SUCCEEDED":
            raise ImageFailed(f"{base.label}: {execution.error}: {execution.cause}")
        if child.file and child.file.blueprint.base.channel:
            _bring_up(base.name, child.file.blueprint.base.channel, place, pace)


def _bring_up(blueprint: str, channel: Channel, place: Place, pace: Pace) -> None:
    """Promote what was just baked to the channel that a blueprint above takes its base from."""
    for step in CHANNELS[1 : CHANNELS.index(channel) + 1]:
        found = promote(PromotionWish(blueprint, step), place, pace)
        progress(f"{found.image} of {blueprint} is in {step} now")


def is_on_another(wanted: Wanted) -> bool:
    """Whether the base is another blueprint's image."""
    return bool(wanted.file and wanted.file.blueprint.base.blueprint)


def _bases(wanted: Wanted) -> Iterator[Wanted]:
    """The base of a blueprint, the base of that, ..."""
    file, seen = wanted.file, {wanted.name}
    while file and file.blueprint.base.blueprint:
        name = file.blueprint.base.blueprint
        if name in seen:
            raise InvalidBlueprint(
                f"{file.path}: base.blueprint: {name} is its own base in the end"
            )
        seen.add(name)
        file = _beside(file.path, name)
        if file:
            yield Wanted(name, file.document, str(file.path), file)


def _beside(path: Path, name: str) -> BlueprintFile | None:
    """The blueprint of that name in the same folder."""
    for candidate in sorted(path.parent.glob("*.y*ml"), key=lambda p: p.stem != name):
        try:
            found = read_blueprint(candidate)
        except InvalidBlueprint:
            # A stack, or a file with a mistake of its own: not the base that is looked for.
            continue
        if found.blueprint.name == name:
            return found
    return None


def check(wanted: Wanted, place: Place) -> BakePlan:
    """The plan of a bake that could start now. Raises what is wrong under the file's name."""
    world = place.world
    now = world.clock.now()
    bake = bake_id(wanted.name, now, secrets.token_hex())
    version = wanted.version or next_number(wanted.name, wanted.document, world)
    try:
        return make_plan(PlanOrder(wanted.document, version, bake, now), world)
    except Refused as error:
        raise type(error)(f"{wanted.label}: {error}") from error


def start(wanted: Wanted, plan: BakePlan, place: Place, force: bool = False) -> str:
    """Store the blueprint and start the execution; the bake's id. With `force` it is baked although
    nothing has changed."""
    version = plan.version
    if wanted.file:
        version = store_blueprint(wanted.file, place)
    asked = {"blueprint": wanted.name, "version": version} | ({"force": True} if force else {})
    with translated("states", "StartExecution"):
        place.client("stepfunctions").start_execution(
            stateMachineArn=place.bake_machine,
            name=plan.bake,
            input=json.dumps(asked),
        )
    return plan.bake


def backing_off() -> Iterator[float]:
    """0.2, 0.3, ... 4 seconds: some changes take seconds, a bake takes minutes, whose end is not to
    be told long after it has come, and DescribeExecution has a token bucket."""
    return chain((0.2 * 1.5**n for n in range(8)), repeat(4.0))


def wait(bake: str, place: Place, pace: Pace) -> history.Execution:
    """Wait until the execution has ended."""
    stepfunctions, arn = place.client("stepfunctions"), place.execution(bake)
    for pause in pace.pauses():
        execution = history.describe(stepfunctions, arn)
        pace.tell()
        if execution.status != "RUNNING":
            return execution
        pace.sleep(pause)
    raise AssertionError("pauses never end")


def wait_for_rollouts(plan: BakePlan, image: str, place: Place, pace: Pace) -> None:
    """Wait until every layer that takes the image has taken it, or has failed to."""
    layers = takers_of(plan, image, place.world)
    waited = 0.0
    for pause in pace.pauses():
        found = place.world.records.rollouts(image)
        pace.tell()
        ended = {r.layer for r in found if r.status is not RolloutStatus.RUNNING}
        begun = {r.layer for r in found}
        if layers <= ended or (layers - begun and waited > ROLLOUT_STARTS_WITHIN):
            return
        pace.sleep(pause)
        waited += pause


def finish(plan: BakePlan, place: Place, ledger: Ledger, pace: Pace) -> BakeResult:
    """Wait for a started bake and gather its result."""
    execution = wait(plan.bake, place, pace)
    if execution.status == "SUCCEEDED" or _announced(plan, place):
        for image in place.world.images.of_bake(plan.bake)[-1:]:
            wait_for_rollouts(plan, image.id, place, pace)
    result = gather(place, ledger, plan.bake)
    image_id = result.image.id if result.image else ""
    return with_missing(result, takers_of(plan, image_id, place.world))


def takers_of(plan: BakePlan, image: str, world: World) -> set[str]:
    """The layers that take the image now that it is announced, by the blueprint or by their own
    stacks; those of dev where it has entered dev, those of other channels once it is promoted."""
    found = takers(plan.blueprint.name, plan.blueprint.layers, world.records.stacks())
    there = world.channels.current(plan.blueprint.name, "dev")
    now = {None, "dev"} if there and there.image == image else {None}
    return {
        layer for layer, feed in found.items() if feed.strategy != "none" and feed.channel in now
    }


def _announced(plan: BakePlan, place: Place) -> bool:
    """Whether the layers hear of an image although its bake has failed: only a copy did."""
    made = place.world.records.images(plan.blueprint.name)
    return any(record.bake == plan.bake and record.announced for record in made)


def with_missing(result: BakeResult, layers: set[str]) -> BakeResult:
    """The result with a row for every layer whose rollout never began."""
    if result.image is None or result.bake.status != "SUCCEEDED":
        return result
    begun = {rollout.layer for rollout in result.rollouts}
    missing = tuple(
        RolloutOutcome(
            layer=layer,
            status="NOT_STARTED",
            instances=(),
            cause=f"no rollout began within {ROLLOUT_STARTS_WITHIN:.0f} s of the image; "
            "look at the dead letters of AddToLayers",
        )
        for layer in sorted(layers - begun)
    )
    return result.model_copy(update={"rollouts": result.rollouts + missing})
