"""Ending what an execution left half way: by another one of the same machine, told so by its input.

Whoever finds such work, an event, the sweep or the next in line, starts it here and nowhere else.
The executions of one piece of work stand in a row: the one that began it, the one that ends it in
its place, the one that does so where that was stopped too. Their names are functions of the first
one's, so that of several finders one starts the next and the others find it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiln.domain.configure import covered
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.stopped import Stopped, end_name

if TYPE_CHECKING:
    from kiln.ports import ExecutionFacts, Machine, World

# How often it is tried at once; after that the sweep tries each hour.
MOST = 3
Payload = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """The executions of one piece of work, the first one first; those that Step Functions knows."""

    machine: Machine
    of: str
    known: dict[str, ExecutionFacts]
    next_name: str

    @property
    def runs(self) -> bool:
        """Whether one of them does."""
        return any(facts.status == "RUNNING" for facts in self.known.values())

    @property
    def succeeded(self) -> bool:
        """Whether one of them came to its end: then what was read before has changed since."""
        return any(facts.status == "SUCCEEDED" for facts in self.known.values())

    @property
    def tried(self) -> int:
        """How many were to end what the first had begun."""
        return len(self.known) - (self.of in self.known)

    @property
    def failed(self) -> bool:
        """Whether they have all ended, and none came to its end."""
        return bool(self.known) and not (self.runs or self.succeeded)

    @property
    def given_up(self) -> bool:
        """Whether nobody tries any more before the sweep does."""
        return self.failed and self.tried >= MOST

    @property
    def given(self) -> Payload:
        """What the first was given."""
        facts = self.known.get(self.of)
        return facts.given if facts else {}

    @property
    def why(self) -> Stopped:
        """Why the first of them ended that did: what stopped those after it is not the reason."""
        name, facts = next(iter(self.known.items()), (self.of, None))
        if facts is None:
            cause = f"the execution {self.of} was recorded and never started"
            return Stopped(of=self.of, error="NeverStarted", cause=cause)
        if facts.status == "FAILED":
            return Stopped(of=self.of, error=facts.error or facts.status, cause=facts.cause)
        told = f": {facts.cause}" if facts.cause else ""
        cause = f"the execution {name} was stopped from outside ({facts.status}){told}"
        return Stopped(of=self.of, error=facts.error or facts.status, cause=cause)

    @property
    def said(self) -> str:
        """Of one that failed, what a reason says of it."""
        return f"{self.of} ended with {self.why.error}: {self.why.cause}"


def row_of(machine: Machine, execution: str, world: World) -> Row:
    """The row in which an execution stands."""
    facts = world.machines.look(machine, execution)
    of = (_of(facts) if facts else None) or execution
    first = facts if of == execution else world.machines.look(machine, of)
    known = {of: first} if first else {}
    number = 1
    while (facts := world.machines.look(machine, end_name(of, number))) is not None:
        # Another execution may happen to have such a name.
        if _of(facts) == of:
            known[end_name(of, number)] = facts
        number += 1
    return Row(machine, of, known, end_name(of, number))


def _of(facts: ExecutionFacts) -> str | None:
    stopped = facts.given.get("stopped")
    found = stopped.get("of") if isinstance(stopped, dict) else None
    return found if isinstance(found, str) else None


def under_way(machine: Machine, execution: str, world: World) -> bool:
    """Whether an execution runs, or one that took over from it."""
    return world.machines.running(machine, execution) or row_of(machine, execution, world).runs


def take_over(row: Row, payload: Payload, world: World, most: int | None = MOST) -> str | None:
    """Start the next of a row, unless one runs or `most` have; its name. Again is harmless."""
    if row.runs or row.succeeded or (most is not None and row.tried >= most):
        return None
    told = payload | {"stopped": row.why.model_dump()}
    world.machines.start(row.machine, row.next_name, told)
    return row.next_name


# ---------------------------------------------------------------- what is left, machine by machine


def rollout_row(rollout: Rollout, world: World) -> Row:
    """The executions of a rollout."""
    return row_of("rollout", rollout.execution or rollout.id, world)


def rollout_payload(rollout: Rollout) -> Payload:
    """What each of them is given."""
    return {"image": rollout.image, "layer": rollout.layer}


def holder_of(layer: str, world: World) -> Rollout | str | None:
    """Who has a layer: the rollout that has not ended, or the name of one that has and still runs;
    None where it is free. A rollout that was stopped has it until another execution has put the
    layer right."""
    holder = world.records.layer_holder(layer)
    if holder is None:
        return None
    if world.machines.running("rollout", holder):
        return holder
    return next((open_ for open_ in world.records.open_rollouts() if open_.id == holder), None)


def change_payload(row: Row) -> Payload | None:
    """What each execution of a change is given; None where nobody knows any more."""
    given = {key: value for key, value in row.given.items() if key != "stopped"}
    return given if {"stack", "instance", "change"} <= given.keys() else None


def rounds_left(stack: str, world: World) -> bool:
    """Whether somebody in a stack waits for Configure and nobody runs its rounds."""
    if world.rounds.asked(stack) == covered(world.rounds.rounds(stack)):
        return False
    holder = world.rounds.holder(stack)
    return holder is None or not under_way("configure", holder, world)


def is_open(rollout: Rollout | None) -> bool:
    """Whether a rollout's record says that it has not ended."""
    return rollout is not None and rollout.status is RolloutStatus.RUNNING
