"""Whether a script that has used its time up in simulated seconds only waits, or still works.

What a script does takes real time, however fast the simulated clock runs: on a busy machine it
would run out of time that no instance would have taken away. So a time-out, divided by the speed,
ends a script that waits; one that works may go on until the time-out itself.

Source of the fields: proc_pid_stat(5).
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# Real seconds between two looks, and for how long nothing may have moved.
_LOOK_S = 0.1
_IDLE_S = 0.5
# Fields after the program's name: its state, its session, its ticks of user and system time and
# those of the children that it has waited for.
_STATE, _SESSION, _TICKS = 0, 3, slice(11, 15)


@dataclass(frozen=True)
class Limit:
    """Real seconds after which a script that only waits is over, and one that works."""

    waiting_s: float
    working_s: float

    @classmethod
    def of(cls, seconds: float, speed: float) -> Limit:
        """A time-out of an instance's own seconds, at a speed."""
        return cls(max(1.0, seconds / speed), max(1.0, seconds))


def communicate(process: subprocess.Popen[bytes], limit: Limit) -> tuple[bytes, bytes]:
    """The output of a process that leads a session. Raises subprocess.TimeoutExpired."""
    begun = moved = time.monotonic()
    look_s, used = limit.waiting_s, None
    while True:
        try:
            return process.communicate(timeout=look_s)
        except subprocess.TimeoutExpired:
            now, before, used = time.monotonic(), used, _used(process.pid)
            # Runnable or in the kernel: it has work to do, if perhaps no core to do it on.
            if used != before or used.busy:
                moved = now
            if now - moved > _IDLE_S or now - begun > limit.working_s:
                raise
        look_s = _LOOK_S


@dataclass(frozen=True)
class _Used:
    """What a session has used: clock ticks, and whether anything of it wants a core."""

    ticks: int
    busy: bool


def _used(session: int) -> _Used:
    rows = [_fields(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    mine = [row for row in rows if row and row[_SESSION] == str(session)]
    ticks = sum(int(tick) for row in mine for tick in row[_TICKS])
    return _Used(ticks, any(row[_STATE] in ("R", "D") for row in mine))


def _fields(folder: Path) -> list[str]:
    """The fields of a process after its name, which may hold anything; none where it is gone."""
    try:
        return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
