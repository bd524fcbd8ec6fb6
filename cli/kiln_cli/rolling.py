"""Rollouts by hand: which image to which layer, how, and how far it has come.

An instance never changes its image: a rollout adds instances that run the new one and deletes the
old ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from kiln.domain.feed import Feed, RolloutOptions
from kiln.domain.image import ImageFacts
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import explain
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.domain.stack import takers
from kiln.errors import InvalidRequest
from kiln.ports import World
from kiln.steps._rollouts import begin_by_hand, under_way
from kiln.steps._taking_over import under_way as works
from kiln_cli.baking import Pace
from kiln_cli.changing import tell_states
from kiln_cli.finding import Found
from kiln_cli.printing import progress

HERE = "kiln rollout status"
# An event tells that an execution was stopped, seconds later; where that is lost, the sweep does.
TAKEN_OVER_WITHIN_S = 120.0


@dataclass(frozen=True)
class Wish:
    """How a rollout is to go, over what the layer's stack file says; `forced` lets an older image
    replace a newer one."""

    by: str
    strategy: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    forced: bool = False


def plan(image: str, found: Found, wish: Wish, world: World) -> Rollout:
    """The next attempt to bring an image to a layer. InvalidRequest where it cannot begin."""
    facts = _available(image, world)
    made = world.records.image(image)
    layer, path = found.layer, found.path
    # Of an image that Kiln did not make nobody knows the platform: the layer's is taken for it.
    platform = made.platform if made else layer.platform or ""
    if layer.platform and platform != layer.platform:
        raise InvalidRequest(f"{image} is {platform}, {path} is {layer.platform}")
    _check_newer(facts, path, wish, world)
    before = world.records.rollout(image, path)
    if before and under_way(before, world):
        raise InvalidRequest(f"{before.id} is under way; `{HERE} {path}` follows it")
    attempt = before.attempt + 1 if before else 1
    feed = _feed(made.blueprint if made else "", found, world)
    return Rollout(
        id=rollout_id(image, path, attempt),
        image=image,
        layer=path,
        strategy=wish.strategy or (feed.strategy if feed.strategy != "none" else "replace"),  # type: ignore[arg-type]
        options=_options(feed.options, wish),
        bake=made.bake if made else "",
        platform=platform,
        architecture=facts.architecture,
        attempt=attempt,
        asked=world.clock.now().isoformat(),
        by=wish.by,
        forced=wish.forced,
    )


def _available(image: str, world: World) -> ImageFacts:
    facts = world.images.describe(image)
    if facts is None or facts.state != "available":
        state = f"is {facts.state}" if facts else "does not exist in this Region"
        raise InvalidRequest(f"image {image} {state}")
    return facts


def _check_newer(facts: ImageFacts, path: str, wish: Wish, world: World) -> None:
    taken = world.records.layer_images(path)
    if not taken or wish.forced or taken[-1].image == facts.id:
        return
    if taken[-1].created > facts.created:
        raise InvalidRequest(
            f"{path} runs {taken[-1].image}, which is newer than {facts.id}; --force brings the "
            f"older one, `kiln rollback {path}` the one before"
        )


def _feed(blueprint: str, found: Found, world: World) -> Feed:
    return takers(blueprint, (), world.records.stacks()).get(found.path) or Feed(
        blueprint=blueprint or "-"
    )


def _options(options: RolloutOptions, wish: Wish) -> RolloutOptions:
    try:
        return RolloutOptions.model_validate(options.model_dump() | wish.options)
    except ValidationError as error:
        raise InvalidRequest(explain(error, RolloutOptions)) from error


def image_before(found: Found, world: World) -> str:
    """The image that a layer ran before the one that it runs."""
    taken = world.records.layer_images(found.path)
    before = [entry.image for entry in taken if entry.image != taken[-1].image]
    if not before:
        runs = f"has run {taken[-1].image} alone" if taken else "has taken no image yet"
        raise InvalidRequest(f"{found.path} {runs}; there is none to go back to")
    return before[-1]


def check_free(found: Found, world: World) -> None:
    """Raise InvalidRequest while a rollout of the layer is under way."""
    for rollout in world.records.rollouts_of(found.path):
        if under_way(rollout, world):
            raise InvalidRequest(
                f"{rollout.id} is under way, and goes back by itself if it fails; wait for its end"
            )


def start(rollout: Rollout, world: World) -> None:
    """Begin. InvalidRequest where somebody else was faster."""
    holder = world.records.layer_holder(rollout.layer)
    if holder and holder != rollout.id:
        progress(f"{holder} has {rollout.layer}; {rollout.id} waits for its end")
    if not begin_by_hand(rollout, world):
        raise InvalidRequest(
            f"{rollout.id} was begun by somebody else just now; `{HERE} {rollout.layer}`"
        )


def waiting_for_approval(found: Found, image: str | None, world: World) -> Rollout:
    """The one rollout of a layer that waits for approval."""
    waiting = [
        rollout
        for rollout in world.records.rollouts_of(found.path)
        if image in (None, rollout.image)
        and under_way(rollout, world)
        and phase(rollout) == "waiting for approval"
    ]
    if len(waiting) == 1:
        return waiting[0]
    if waiting:
        images = ", ".join(rollout.image for rollout in waiting)
        raise InvalidRequest(f"several rollouts of {found.path} wait for approval: {images}")
    raise InvalidRequest(f"no rollout of {found.path} waits for approval; `{HERE} {found.path}`")


def phase(rollout: Rollout) -> str:
    """What a rollout is at, for a person."""
    if rollout.status is not RolloutStatus.RUNNING:
        return rollout.status.value
    if rollout.begun is None:
        return "waiting for its turn"
    if rollout.back_since:
        return "going back"
    if rollout.options.approval == "required" and not rollout.approved:
        return "waiting for approval"
    return "deleting what was replaced" if rollout.committed else "under way"


def follow(rollout: Rollout, world: World, pace: Pace) -> Rollout:
    """Wait for a rollout's end, telling its phases and the states of its layer's instances."""
    told_phase, told = "", {}
    first, alone = True, 0.0
    for pause in pace.pauses():
        found = _latest(rollout, world)
        if phase(found) != told_phase:
            told_phase = phase(found)
            progress(f"{rollout.layer}: {told_phase}{_hint(found)}")
        members = {i.id: i for i in _members(found, world)}
        if first:
            told, first = {name: i.state for name, i in members.items()}, False
        tell_states(members, told, world)
        if found.status is not RolloutStatus.RUNNING:
            return found
        alone = 0.0 if works("rollout", rollout.id, world) else alone + max(pause, 1.0)
        if alone > TAKEN_OVER_WITHIN_S:
            return _cut_short(_latest(rollout, world))
        pace.sleep(pause)
    raise AssertionError("pauses never end")


def _latest(rollout: Rollout, world: World) -> Rollout:
    return world.records.rollout(rollout.image, rollout.layer) or rollout


def _hint(rollout: Rollout) -> str:
    if phase(rollout) != "waiting for approval":
        return ""
    return f"; `kiln rollout approve {rollout.layer}` within {rollout.options.approval_within}"


def _cut_short(rollout: Rollout) -> Rollout:
    if rollout.status is not RolloutStatus.RUNNING:
        return rollout
    cause = (
        "its execution was ended from outside and no other one has taken it over; `kiln sweep` "
        "lets one do so"
    )
    changes = {"status": RolloutStatus.FAILED, "error": "Aborted", "cause": cause}
    return rollout.model_copy(update=changes)


def _members(rollout: Rollout, world: World) -> list[LayerInstance]:
    stack, _, layer = rollout.layer.partition("/")
    return [i for i in world.records.instances(stack) if i.layer == layer]


def as_json(rollout: Rollout, world: World) -> dict[str, Any]:
    """JSON-ready, with the instances that run the image."""
    found = rollout.model_dump(mode="json")
    found["phase"] = phase(rollout)
    found["instances"] = [
        {"id": i.id, "ec2_id": i.ec2_id, "hostname": i.hostname, "state": i.state.value}
        for i in _members(rollout, world)
        if i.rollout == rollout.id
    ]
    return found


def announced(rollout: Rollout, world: World) -> str:
    """What begins, for a person: no instance ever changes its image."""
    serving = sum(i.state is InstanceState.ONLINE for i in _members(rollout, world))
    what = f"{rollout.id} has begun: {rollout.strategy} {rollout.image} on {rollout.layer}"
    if rollout.strategy == "add" or not serving:
        return what
    return f"{what}; new instances take the place of the {serving} that serve"
