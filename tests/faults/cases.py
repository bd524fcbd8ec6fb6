"""The cases of the matrix, made from what one undisturbed bake or rollout does.

A case's name is its seed: the same name is the same fault at the same place, so that one that was
found wanting can be run alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.faults import kinds
from tests.faults.kinds import Fault

# What stands in a case's name where no one call is meant.
STATE, TABLE, INSTANCE, IMAGE = "state", "table", "instance", "image"
# Where there is an instance that somebody else can end: states that wait for one.
_WITH_INSTANCE = {
    "bake": {
        **dict.fromkeys(
            ("AwaitBuilder", "AwaitStep", "AwaitPrepare", "AwaitClean", "AwaitSeal"), "builder"
        ),
        **dict.fromkeys(("AwaitClone", "AwaitProof", "AwaitTest"), "clone"),
    },
    "rollout": dict.fromkeys(("AwaitStep", "AwaitUndo"), ""),
    "instance": dict.fromkeys(
        ("AwaitRunning", "AwaitAgent", "AwaitSetup", "AwaitDrained", "AwaitShutdown"), ""
    ),
    "configure": {"AwaitConfigure": ""},
}
_WITH_IMAGE = {"bake": ("PollImage",)}


@dataclass(frozen=True)
class Occasion:
    """Something that happens: a call or an invocation in a state of a machine, or in a function
    that an event has started, which is in none; an event on its way to a function."""

    kind: Literal["call", "invocation", "event"]
    service: str
    operation: str
    machine: str = ""
    state: str = ""
    function: str = ""


@dataclass(frozen=True)
class Case:
    """One fault at one place of one ground. `reasons` are words of which a failure must name one;
    none where the fault has to be survived."""

    name: str
    fault: Fault = field(hash=False)
    reasons: tuple[str, ...]

    @property
    def ground(self) -> str:
        """Where it is tried."""
        return self.name.split("/")[0]

    @property
    def place(self) -> str:
        """The state, by its machine, or the function."""
        return self.name.split("/")[1]

    @property
    def what(self) -> str:
        """The call, or whatever else goes wrong."""
        return self.name.split("/")[2]

    @property
    def kind(self) -> str:
        """How it goes wrong."""
        return self.name.split("/")[3]


def cases(ground: str, seen: Iterable[Occasion]) -> list[Case]:
    """Every case, in the order of what has happened."""
    seen = list(seen)
    states: dict[str, None] = {}
    names: dict[str, None] = {}
    for occasion in seen:
        names |= dict.fromkeys(_at(occasion))
        if occasion.state:
            states[f"{occasion.machine}.{occasion.state}"] = None
    for place in states:
        names |= dict.fromkeys(_in(place))
    return [case_of(f"{ground}/{name}") for name in names]


def whole(seen: dict[str, list[Occasion]]) -> list[Case]:
    """Every case of all grounds; what happens on several of them goes wrong on the first alone."""
    known: set[Occasion] = set()
    found: list[Case] = []
    for ground, occasions in seen.items():
        found += cases(ground, [one for one in occasions if one not in known])
        known |= set(occasions)
    return found


def _at(occasion: Occasion) -> Iterator[str]:
    place = f"{occasion.machine}.{occasion.state}" if occasion.state else occasion.function
    what = f"{occasion.service}:{occasion.operation}"
    if occasion.kind == "event":
        yield from (f"{place}/{occasion.operation}/{kind}" for kind in kinds.ON_EVENTS)
    elif occasion.kind == "invocation":
        ways = kinds.ON_INVOCATIONS if occasion.state else kinds.ON_STARTED
        yield from (f"{place}/{what}/{kind}" for kind in ways)
    else:
        launches = kinds.ON_LAUNCHES if what in kinds.LAUNCHES else ()
        yield from (f"{place}/{what}/{kind}" for kind in (*kinds.ON_CALLS, *launches))
        if occasion.service == "dynamodb":
            yield from (f"{place}/{TABLE}/{kind}" for kind in kinds.ON_TABLE)


def _in(place: str) -> Iterator[str]:
    machine, _, state = place.partition(".")
    yield from (f"{place}/{STATE}/{kind}" for kind in kinds.ON_STATES)
    if state in _WITH_INSTANCE.get(machine, ()):
        yield from (f"{place}/{INSTANCE}/{kind}" for kind in kinds.ON_INSTANCES)
    if state in _WITH_IMAGE.get(machine, ()):
        yield from (f"{place}/{IMAGE}/{kind}" for kind in kinds.ON_IMAGES)


def case_of(name: str) -> Case:
    """A case from its name. ValueError for one that is none."""
    parts = name.split("/")
    if len(parts) != 4 or parts[3] not in kinds.BY_NAME:
        raise ValueError(f"{name} names no case; GROUND/PLACE/WHAT/KIND does")
    _, place, what, kind = parts
    fault = _target(place, what) | kinds.BY_NAME[kind] | _where(place)
    return Case(name, fault, kinds.REASONS.get(kind, ()))


def _target(place: str, what: str) -> dict[str, Any]:
    machine, _, state = place.partition(".")
    if what == INSTANCE:
        role = _WITH_INSTANCE.get(machine, {}).get(state)
        # A rollout waits for an instance that is still to be launched.
        late = {"delay_s": 20} if machine == "rollout" else {}
        return late | ({"role": role} if role else {})
    if what in (STATE, TABLE, IMAGE):
        return {}
    service, colon, operation = what.partition(":")
    return {"service": service if colon else "events", "operation": operation if colon else what}


def _where(place: str) -> dict[str, Any]:
    machine, dot, state = place.partition(".")
    return {"when": {"machine": machine, "state": state}} if dot else {"function": machine}
