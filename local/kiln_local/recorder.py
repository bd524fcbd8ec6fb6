"""What happened: every AWS call with its caller, and when an AWS operation was in progress."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from kiln_local.clock import SimClock

# Who calls AWS in this thread: a function's or a state machine's name, None for a client outside.
caller: ContextVar[str | None] = ContextVar("caller", default=None)
# How long the client that makes a call in this thread waits for its answer, in seconds.
patience: ContextVar[float] = ContextVar("patience", default=60.0)

# IAM's prefix where it is not botocore's service name.
_PREFIXES = {"stepfunctions": "states", "eventbridge": "events", "sfn": "states"}


@dataclass(frozen=True)
class Call:
    """One AWS call. `error` is AWS's code."""

    at_s: float
    caller: str
    operation: str
    error: str | None


@dataclass
class Interval:
    """A time in which AWS was busy with something that `owner` (a bake or rollout) waits for."""

    owner: str
    what: str
    begin_s: float
    end_s: float | None = None


@dataclass
class Recorder:
    """Safe for threads. Times are simulated seconds since the local AWS began.

    `outside` are the calls that clients outside have made by HTTP, under their access keys;
    those whose keys `functions` names are functions that run elsewhere.
    `hooks` are asked before each call of a function or state machine, `after_hooks` once AWS has
    acted; either may sleep, or raise what the caller is to see.
    """

    clock: SimClock
    calls: list[Call] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    outside: list[Call] = field(default_factory=list)
    functions: frozenset[str] = frozenset()
    hooks: list[Callable[[str, dict[str, Any]], None]] = field(default_factory=list)
    after_hooks: list[Callable[[str, dict[str, Any]], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, since_s: float = 0.0) -> dict[str, int]:
        """How often functions and state machines called what."""
        found = Counter(call.operation for call in self.calls if call.at_s >= since_s)
        return dict(sorted(found.items()))

    def note_call(self, operation: str, error: str | None) -> None:
        """Record a call of the thread's caller."""
        who = caller.get()
        if who:
            with self._lock:
                self.calls.append(Call(self.clock.seconds(), who, operation, error))

    def note_request(self, key: str, operation: str, error: str | None) -> None:
        """Record a call that came by HTTP."""
        with self._lock:
            calls = self.calls if key in self.functions else self.outside
            calls.append(Call(self.clock.seconds(), key, operation, error))

    def begin(self, owner: str, what: str) -> Interval:
        """An AWS operation begins."""
        interval = Interval(owner, what, self.clock.seconds())
        with self._lock:
            self.intervals.append(interval)
        return interval

    def end(self, interval: Interval) -> None:
        """An AWS operation ends."""
        interval.end_s = self.clock.seconds()

    def busy_s(self, owner: str, begin_s: float, end_s: float) -> float:
        """How long at least one operation of an owner was in progress within a span."""
        spans = sorted(
            (max(i.begin_s, begin_s), min(i.end_s if i.end_s is not None else end_s, end_s))
            for i in self.intervals
            if i.owner == owner
        )
        total, reached = 0.0, begin_s
        for begin, end in spans:
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return total


_current: list[Recorder] = []


def install(recorder: Recorder) -> Recorder:
    """Let every botocore client made from now on report to this recorder, which is returned."""
    _current[:] = [recorder]
    if not any(handler is _after for _, handler, *_ in BUILTIN_HANDLERS):
        BUILTIN_HANDLERS.append(("before-call", _before))
        BUILTIN_HANDLERS.append(("after-call", _after))
    return recorder


def remove() -> None:
    """Stop reporting."""
    _current.clear()


def machine_name(name: str) -> str:
    """The name that a state machine calls AWS under."""
    return f"{name} (state machine)"


def operation_name(model: Any) -> str:
    """`ec2:RunInstances` from a botocore operation model."""
    service = model.service_model.service_id.hyphenize().replace("-", "")
    return f"{_PREFIXES.get(service, service)}:{model.name}"


def _before(model: Any, params: dict[str, Any], **_: Any) -> None:
    config = params.get("context", {}).get("client_config")
    patience.set(float(config.read_timeout) if config else 60.0)
    for recorder in _current:
        if caller.get():
            for hook in recorder.hooks:
                hook(operation_name(model), params)


def _after(model: Any, parsed: dict[str, Any], **_: Any) -> None:
    for recorder in _current:
        recorder.note_call(operation_name(model), parsed.get("Error", {}).get("Code"))
        if caller.get():
            for hook in recorder.after_hooks:
                hook(operation_name(model), parsed)
