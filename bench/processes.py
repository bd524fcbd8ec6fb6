"""A command and all that it starts, watched from outside: how long it runs, how much memory all of
it holds together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_LOOK_S = 0.1


@dataclass(frozen=True)
class Ran:
    """How a command ended. `peak_mb` is the greatest sum of its processes' proportional shares of
    memory (PSS), so that pages that they share count once."""

    status: int
    wall_s: float
    peak_mb: float
    output: str


class Watched:
    """A command that runs in a session of its own."""

    def __init__(self, command: list[str], environ: Mapping[str, str], folder: Path) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
        )
        self._peak_kb = 0
        threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> Ran:
        """Wait for its end."""
        output, _ = self._process.communicate()
        wall_s = time.monotonic() - self._began
        return Ran(self._process.returncode, wall_s, self._peak_kb / 1024, output)

    def kill(self) -> Ran:
        """SIGKILL to it and to all that it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        return self.end()

    def _look(self) -> None:
        while self._process.poll() is None:
            self._peak_kb = max(self._peak_kb, pss_kb(self._process.pid))
            time.sleep(_LOOK_S)


def pss_kb(root: int) -> int:
    """The proportional shares of a process and of all below it, in KiB."""
    return sum(_pss_kb(process) for process in family(root, _parents()))


def family(root: int, parents: Mapping[int, int]) -> list[int]:
    """A process and all below it, by each one's parent."""
    found = [root]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _parents() -> dict[int, int]:
    names = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {int(name): parent for name in names if (parent := _parent(name)) is not None}


def _parent(process: str) -> int | None:
    try:
        # After the command's name, which may hold anything: state and parent.
        return int(Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _pss_kb(process: int) -> int:
    try:
        return share_kb(Path("/proc", str(process), "smaps_rollup").read_text().splitlines())
    except OSError:
        # It has ended meanwhile.
        return 0


def share_kb(lines: Iterable[str]) -> int:
    """The share that the lines of a process's `smaps_rollup` tell."""
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
