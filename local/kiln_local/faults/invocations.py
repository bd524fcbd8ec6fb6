"""Faults of whole invocations: a function that crashes before it begins or after it is done, that
runs twice, that runs late or out of its time. Whoever invokes it, a state machine or an event.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from kiln_local.clock import SimClock
from kiln_local.faults.engine import Faults, Occasion
from kiln_local.faults.model import Fault
from kiln_local.functions import Answer, Functions
from kiln_local.lives import How, obituary

Run = Callable[[], Answer]
# An Invoke that Lambda itself refuses never gets here.
_HERE = ("crash", "double", "delay_s")


def connect(functions: Functions, faults: Faults, clock: SimClock) -> None:
    """Stand around every invocation."""

    def around(folder: str, limit_s: float, run: Run) -> Answer:
        fault = faults.due(Occasion("invocation", "lambda", "Invoke", folder), _HERE)
        if fault is None:
            return run()
        if fault.delay_s:
            return _late(fault.delay_s, limit_s, run, clock)
        if fault.double:
            # Whoever invoked it sees one of the two answers: here the second.
            run()
            return run()
        return _crash(fault, limit_s, run, clock)

    functions.around = around


def _crash(fault: Fault, limit_s: float, run: Run, clock: SimClock) -> Answer:
    if fault.crash == "after":
        run()
    return _ended(fault.by or "exit", limit_s, clock)


def _late(delay_s: float, limit_s: float, run: Run, clock: SimClock) -> Answer:
    if delay_s >= limit_s:
        return _ended("time-out", limit_s, clock)
    clock.sleep(delay_s)
    return run()


def _ended(how: How, limit_s: float, clock: SimClock) -> Answer:
    if how == "time-out":
        clock.sleep(limit_s)
    return obituary(how, limit_s, str(uuid.uuid4())), True
