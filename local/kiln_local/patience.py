"""The time of functions and the waits of botocore's retries are simulated, so that a client that
backs off meets the AWS that it would meet: buckets that have filled by as much as it has waited.

botocore sleeps between attempts and, in adaptive mode, before one (`endpoint`, `retries.bucket`).
Who sleeps in another process sleeps real seconds, which are more of ours: docs/faults.md says so.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import botocore.endpoint
from botocore.retries import bucket

from kiln_local import lives
from kiln_local.clock import SimClock
from kiln_local.crew import Module
from kiln_local.patches import Patches


def connect(patches: Patches, clock: SimClock) -> None:
    """Let botocore and functions tell time and wait by the clock."""
    from kiln.adapters.clock import SystemClock

    def sleep(seconds: float) -> None:
        lives.wait(seconds, clock)

    simulated = Module(time, sleep=sleep, time=lambda: clock.now().timestamp())
    patches.set(SystemClock, "now", lambda _: clock.now())
    patches.set(SystemClock, "sleep", lambda _, seconds: sleep(seconds))
    patches.set(botocore.endpoint, "time", simulated)
    patches.set(bucket, "time", simulated)
    patches.set(bucket, "threading", Module(threading, Condition=_conditions(clock)))


def _conditions(clock: SimClock) -> Any:
    class SimCondition(threading.Condition):
        """botocore waits on it for as long as a token takes to come."""

        def wait(self, timeout: float | None = None) -> bool:
            mine = lives.life.get()
            if mine and timeout is not None:
                mine.check()
                # Others are let in meanwhile, as by a wait; who is woken early looks again.
                self.release()
                try:
                    mine.wait(timeout, clock)
                finally:
                    self.acquire()
                return False
            return super().wait(None if timeout is None else timeout / clock.speed)

    return SimCondition
