"""Changes of layers' instances: start them, tell each state on stderr, say how they ended.

A change is an execution of the instance state machine; this module never changes a state itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.scaling import Scaling
from kiln.errors import InvalidRequest
from kiln.ports import ExecutionFacts, World
from kiln.steps._instances import change_by_hand
from kiln.steps._taking_over import under_way
from kiln_cli.baking import Pace
from kiln_cli.printing import progress

Verb = Literal["start", "stop", "reboot", "delete"]
S = InstanceState
# Anything else is refused before an execution begins; who is there already is done at once.
_ALLOWED: dict[Verb, set[InstanceState]] = {
    "start": {S.STOPPED, S.START_FAILED, S.STOP_FAILED, S.ONLINE},
    "stop": set(S) - {S.TERMINATING, S.TERMINATED},
    "reboot": {S.ONLINE},
    "delete": {S.STOPPED},
}
_INSTEAD = {
    "start": "it starts from stopped alone, or where a start or a stop of it has failed; "
    "`kiln layers stop` it first",
    "stop": "it is about to go",
    "reboot": "it reboots from online alone",
    "delete": "it is deleted from stopped alone; `kiln layers stop` it first",
}


# What a person may do with one that does not serve and that nobody works on.
_NEXT_STEP = {
    S.START_FAILED: "`kiln layers start {0}` tries again",
    S.SETUP_FAILED: "`kiln layers run {0} setup` tries again",
    S.STOP_FAILED: "`kiln layers stop {0}` tries again, `kiln layers start {0}` lets it serve",
    S.CONNECTION_LOST: "`kiln layers stop {0}`, then start it, where it is not healed",
}
_ENDED_OUTSIDE = "its execution was ended from outside; another one puts the instance right"


@dataclass(frozen=True)
class Outcome:
    """An instance after its change; `error` and `cause` are empty where it went well, `ended` is
    false where nobody waited."""

    id: str
    stack: str
    hostname: str
    ec2_id: str | None
    state: str
    error: str = ""
    cause: str = ""
    ended: bool = True


def check_states(entries: Iterable[LayerInstance], verb: Verb, world: World) -> None:
    """Raise InvalidRequest for the first instance that cannot do this as it is."""
    for entry in entries:
        if entry.state not in _ALLOWED[verb]:
            raise InvalidRequest(f"{entry.hostname} is {entry.state}; {_INSTEAD[verb]}")
        if verb == "start" and not (entry.state is S.ONLINE or entry.image or entry.ec2_id):
            raise InvalidRequest(
                f"{entry.hostname} has no image yet; `kiln rollout IMAGE {entry.place}` gives its "
                "layer one"
            )
    if verb == "start":
        _check_layers(entries, world)
    for entry in entries:
        for note in _notes(entry, verb, world):
            progress(note)


def _check_layers(entries: Iterable[LayerInstance], world: World) -> None:
    """While a rollout works on a layer, nobody else starts its instances."""
    for place in sorted({entry.place for entry in entries}):
        holder = world.records.layer_holder(place)
        if holder and under_way("rollout", holder, world):
            raise InvalidRequest(f"rollout {holder} works on {place}; start after its end")


def _notes(entry: LayerInstance, verb: Verb, world: World) -> Iterable[str]:
    """What will surprise, said before it happens."""
    if verb in ("start", "stop") and entry.scaling is not Scaling.ALWAYS:
        who = "hours" if entry.scaling is Scaling.TIME else "load"
        yield f"{entry.hostname} is started and stopped by its {who}, which may undo this"
    if verb == "delete" and entry.planned:
        yield (
            f"{entry.hostname} stands in its stack file as {entry.planned}: unless that goes too, "
            "the next `kiln apply` writes it down again"
        )
    if verb == "start" and entry.ec2_id and entry.state is S.STOPPED:
        taken = world.records.layer_images(entry.place)
        root = world.fleet.describe(entry.ec2_id)
        if taken and root and root.state != "terminated" and root.image != taken[-1].image:
            yield (
                f"{entry.hostname} starts from its own root, made from {root.image}, and keeps "
                f"it; {entry.place} runs {taken[-1].image}: delete and add it to change over"
            )


def troubles(entries: Iterable[LayerInstance]) -> list[str]:
    """Of each instance that failed, why it did and what to do next."""
    return [
        f"{entry.hostname} is {entry.state}: {entry.error or 'no reason is known'}; "
        + _NEXT_STEP[entry.state].format(entry.hostname)
        for entry in entries
        if entry.state in _NEXT_STEP and entry.change is None
    ]


def begin(entries: Iterable[LayerInstance], verb: Verb, world: World) -> dict[str, str]:
    """Start the change of each; the executions' names by the instances' own ids."""
    wish = secrets.token_hex(4)
    return {entry.id: change_by_hand(entry, verb, world, wish) for entry in entries}


def not_awaited(entries: Iterable[LayerInstance]) -> list[Outcome]:
    """The outcomes of changes that have only begun."""
    return [_outcome(entry, None, ended=False) for entry in entries]


def follow(
    entries: Iterable[LayerInstance], executions: Mapping[str, str], world: World, pace: Pace
) -> list[Outcome]:
    """Wait until every execution has ended, telling the states on the way."""
    known = {entry.id: entry for entry in entries}
    told = {name: entry.state for name, entry in known.items()}
    ended: dict[str, ExecutionFacts] = {}
    for pause in pace.pauses():
        for name, execution in executions.items():
            facts = None if name in ended else world.machines.look("instance", execution)
            if facts and facts.status != "RUNNING":
                ended[name] = facts
        known |= tell_states(known, told, world)
        if len(ended) == len(executions):
            return [_outcome(entry, ended.get(name)) for name, entry in known.items()]
        pace.sleep(pause)
    raise AssertionError("pauses never end")


def tell_states(
    known: Mapping[str, LayerInstance], told: dict[str, InstanceState], world: World
) -> dict[str, LayerInstance]:
    """Print the states that are new to the reader; the records as they are now."""
    stacks = {entry.stack for entry in known.values()}
    records = {i.id: i for stack in sorted(stacks) for i in world.records.instances(stack)}
    gone = {"state": S.TERMINATED, "ec2_id": None}
    now = {n: records.get(n) or entry.model_copy(update=gone) for n, entry in known.items()}
    for name, entry in now.items():
        if told.get(name) is not entry.state:
            progress(f"{entry.hostname}: {entry.state}")
            told[name] = entry.state
    return now


def _outcome(entry: LayerInstance, facts: ExecutionFacts | None, ended: bool = True) -> Outcome:
    failed = facts is not None and facts.status != "SUCCEEDED"
    failure = Failure(error=facts.error, cause=facts.cause) if facts and failed else None
    return Outcome(
        id=entry.id,
        stack=entry.stack,
        hostname=entry.hostname,
        ec2_id=entry.ec2_id,
        state=entry.state.value,
        # An execution that was aborted has neither.
        error=(failure.name or facts.status) if failure and facts else "",
        cause=(failure.reason or _ENDED_OUTSIDE) if failure else "",
        ended=ended,
    )


def as_json(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """JSON-ready; what only says why something failed is left out where nothing did."""
    rows = [vars(outcome) for outcome in outcomes]
    return {"instances": [{k: v for k, v in row.items() if v != ""} for row in rows]}
