"""The share of a processor that a function's memory buys, by Linux's control groups.

1,769 MB are one processor (Lambda Developer Guide, "Configure Lambda function memory"). How Lambda
divides time is not documented: here a share is given of each 20 ms. It holds from a function's
first answer on, since initialisation is reported, and not documented, to have a whole processor.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

PROCESSOR_MB = 1769
_PERIOD_US = 20_000
_GONE_WITHIN_S = 5.0
_numbers = itertools.count(1)


class NoShares(OSError):
    """This machine lets nobody here divide its processors."""


def shares_root(mounted: Path = Path("/sys/fs/cgroup")) -> Path:
    """Where groups are made: the controller of version 1, else version 2's root. Raises
    NoShares."""
    for found in (mounted / "cpu", mounted):
        named = found / "cgroup.controllers"
        has = named.exists() and "cpu" in named.read_text().split()
        if (has or (found / "cpu.shares").exists()) and os.access(found, os.W_OK):
            return found
    raise NoShares(
        f"{mounted} has no cpu controller that may be written: shares of a processor need one"
    )


class Share:
    """One function's environment in a group of its own, unlimited at first."""

    def __init__(self, memory_mb: int, root: Path) -> None:
        self._quota_us = max(1000, _PERIOD_US * memory_mb // PROCESSOR_MB)
        self._folder = root / f"kiln-{os.getpid()}-{next(_numbers)}"
        self._folder.mkdir()

    def take(self, process: int) -> None:
        """A process and all that it will start."""
        (self._folder / "cgroup.procs").write_text(str(process))

    def limit(self) -> None:
        """From now on they have their share."""
        if (self._folder / "cpu.max").exists():
            (self._folder / "cpu.max").write_text(f"{self._quota_us} {_PERIOD_US}")
            return
        (self._folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (self._folder / "cpu.cfs_quota_us").write_text(str(self._quota_us))

    def end(self) -> None:
        """End what is left of its processes, and the group."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        while True:
            for process in self._processes():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            try:
                self._folder.rmdir()
            except OSError:
                # A process that was killed is in it until its parent has heard of it.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _processes(self) -> list[int]:
        try:
            return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]
        except FileNotFoundError:
            return []
