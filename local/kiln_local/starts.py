"""How long Lambda takes to hand an event to a function that runs in this process: a new environment
is started cold, one that is idle is warm. Only measurements in real time need it; the emulator does
it in earnest.

A function has as much of a processor as its memory buys (Lambda Developer Guide, "Configure Lambda
function memory": 1,769 MB are one), so that a small one starts later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kiln_local.functions import Answer

if TYPE_CHECKING:
    from kiln_local.world import LocalAws

# The rows of the table, by what a function has at least.
_SIZES = (1769, 1024, 512, 256, 128)


def row_of(memory_mb: int) -> str:
    """The row of a cold start: that of the greatest size that the memory reaches."""
    return f"function-cold-{next(size for size in _SIZES if memory_mb >= size)}"


@contextmanager
def modelled(aws: LocalAws) -> Iterator[Counter[str]]:
    """Within the block invocations take the time of the table; how many were `cold` and `warm`."""
    run, lock = aws.functions.run, threading.Lock()
    idle, counted = Counter[str](), Counter[str]()

    def started(name: str, event: Any) -> Answer:
        with lock:
            cold = not idle[name]
            idle[name] -= 0 if cold else 1
            counted["cold" if cold else "warm"] += 1
        memory = int(aws.functions.specifications[name]["MemorySize"])
        aws.clock.sleep(aws.ec2.latencies.draw(row_of(memory) if cold else "function-warm"))
        try:
            return run(name, event)
        finally:
            with lock:
                idle[name] += 1

    aws.functions.run = started
    try:
        yield counted
    finally:
        aws.functions.run = run
