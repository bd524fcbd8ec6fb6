"""The cases of the matrix, made from what one undisturbed bake does.

A case's name is its seed: the same name is the same fault at the same place, so that one that was
found wanting can be run alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# What a call leaves as it is.
_READS = ("Describe", "Get", "List", "Query")
# Each kind of fault, as the fault file of `kiln bake --local --faults` says it.
ON_CHANGES: dict[str, dict[str, Any]] = {
    "throttled-for-a-minute": {"error": "throttling", "for_s": 60},
    "internal-error": {"error": "internal"},
    "denied": {"error": "denied", "times": "always"},
    "crash-before": {"crash": "before"},
    "crash-after": {"crash": "after"},
    "answer-lost": {"drop": True},
}
ON_READS: dict[str, dict[str, Any]] = {
    "throttled-once": {"error": "throttling"},
    "denied": {"error": "denied", "times": "always"},
}
ON_INVOCATIONS: dict[str, dict[str, Any]] = {
    "function-timed-out": {"crash": "after", "by": "time-out"},
    "function-doubled": {"double": True},
}
ON_STATES: dict[str, dict[str, Any]] = {
    "stopped-from-outside": {"act": "stop-execution"},
    "timed-out": {"act": "time-out-execution"},
}
ON_EVENTS: dict[str, dict[str, Any]] = {
    "lost": {"drop": True, "times": "always"},
    "doubled": {"double": True, "times": "always"},
    "late": {"delay_s": 40, "times": "always"},
}
EVENTS = (
    "EC2 Instance State-change Notification",
    "EC2 AMI State Change",
    "EC2 Command Invocation Status-change Notification",
    "Image Available",
)
# States in which there is an instance, or an image, that somebody else can end.
_WITH_BUILDER = ("AwaitBuilder", "AwaitStep", "AwaitPrepare", "AwaitClean", "AwaitSeal")
_WITH_CLONE = ("AwaitClone", "AwaitProof", "AwaitTest")
# What a fault may end a bake with, in the words of its error or its cause. The others must be
# survived.
_REASONS: dict[str, tuple[str, ...]] = {
    "denied": ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "denied"),
    "stopped-from-outside": ("ABORTED",),
    "timed-out": ("TIMED_OUT", "Timeout"),
    "terminated": ("terminat", "shutting-down", "Terminated"),
    "image-failed": ("failed",),
    "no-capacity": ("apacity",),
}


@dataclass(frozen=True)
class Occasion:
    """Something that a bake does: a call or an invocation in a state of the machine."""

    kind: str
    service: str
    operation: str
    state: str


@dataclass(frozen=True)
class Case:
    """One fault at one place. `reasons` are words of which a failure must name one; none where the
    bake has to survive."""

    name: str
    fault: dict[str, Any]
    reasons: tuple[str, ...]


def cases(seen: Iterable[Occasion]) -> Iterator[Case]:
    """Every case, in the order of the bake."""
    states: dict[str, None] = {}
    for occasion in seen:
        states[occasion.state] = None
        yield from _at(occasion)
    for state in states:
        yield from (_case(state, "state", kind, f, {}) for kind, f in ON_STATES.items())
    for event in EVENTS:
        where = {"service": "events", "operation": event}
        yield from (_case("events", event, kind, f, where) for kind, f in ON_EVENTS.items())
    yield from _by_somebody_else(states)


def _at(occasion: Occasion) -> Iterator[Case]:
    if occasion.kind == "invocation":
        kinds = ON_INVOCATIONS
    else:
        kinds = ON_READS if occasion.operation.startswith(_READS) else ON_CHANGES
    where = {"service": occasion.service, "operation": occasion.operation}
    what = f"{occasion.service}:{occasion.operation}"
    for kind, fault in kinds.items():
        yield _case(occasion.state, what, kind, fault, where)
    if occasion.operation == "RunInstances":
        short = {"error": "capacity", "times": "always"}
        yield _case(occasion.state, what, "no-capacity", short, where)


def _case(state: str, what: str, kind: str, fault: dict[str, Any], where: dict[str, Any]) -> Case:
    when = {} if state == "events" else {"when": {"state": state, "machine": "bake"}}
    return Case(f"{state}/{what}/{kind}", {**where, **fault, **when}, _REASONS.get(kind, ()))


def _by_somebody_else(states: Iterable[str]) -> Iterator[Case]:
    for state in states:
        act: dict[str, Any] = {"act": "terminate-instance"}
        if state in _WITH_BUILDER:
            yield _case(state, "builder", "terminated", act | {"role": "builder"}, {})
        elif state in _WITH_CLONE:
            yield _case(state, "clone", "terminated", act | {"role": "clone"}, {})
    yield _case("PollImage", "image", "image-failed", {"act": "fail-image", "delay_s": 5}, {})
