"""The process that a function's invocation runs in, as far as it can end early: by its time limit,
while it waits, or by a crash. What has ended makes no call any more, whatever its `finally` blocks
still try: a process that is gone cannot tidy up.

Only what a function waits counts against its time limit. Its own work takes real time, which a
sped-up clock would make minutes of.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from kiln_local.clock import SimClock

How = Literal["exit", "time-out"]


class Died(BaseException):
    """A function's process has ended under it. No `except Exception` may hold it up."""


@dataclass
class Life:
    """One invocation. `limit_s` is the function's time limit, `waited_s` what it has waited, in
    simulated seconds; `ended` says how it has ended, None while it lives."""

    function: str
    limit_s: float
    request: str = ""
    waited_s: float = 0.0
    ended: How | None = None

    def left_s(self) -> float:
        """Simulated seconds until the time limit."""
        return max(0.0, self.limit_s - self.waited_s)

    def check(self) -> None:
        """Raise Died in a process that has ended."""
        if self.ended:
            raise Died

    def end(self, how: How, clock: SimClock) -> None:
        """End it now, or when its time is over. Raises Died."""
        if how == "time-out":
            clock.sleep(self.left_s())
        self.ended = how
        raise Died

    def wait(self, seconds: float, clock: SimClock) -> None:
        """Wait, no longer than the time limit allows. Raises Died there."""
        self.check()
        if seconds >= self.left_s():
            self.end("time-out", clock)
        self.waited_s += seconds
        clock.sleep(seconds)


# Of the function that runs in this thread; None for a client outside and for a state machine.
life: ContextVar[Life | None] = ContextVar("life", default=None)


def wait(seconds: float, clock: SimClock) -> None:
    """Wait simulated seconds, as a function where one runs in this thread."""
    mine = life.get()
    if mine:
        mine.wait(seconds, clock)
    else:
        clock.sleep(seconds)


def obituary(ended: How | None, limit_s: float, request: str) -> dict[str, Any]:
    """What Lambda answers for a process that has ended under its handler.

    Step Functions takes `errorType` for the error's name; both are in the lists of Retry. Texts as
    Lambda's own logs and answers have them.
    """
    if ended == "time-out":
        said = f"RequestId: {request} Error: Task timed out after {limit_s:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": said}
    said = f"RequestId: {request} Error: Runtime exited with error: signal: killed"
    return {"errorType": "Runtime.ExitError", "errorMessage": said}
