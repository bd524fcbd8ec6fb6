"""Kiln's command line with a limit on its memory and a clock of its own: `limited.py` reads command
lines as JSON, one a line, and prints how each ended.

Each runs in a process forked from one that has everything imported, so that what is measured is the
input's own doing. Time is processor time: others may use the machine as well.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_MB = 200
MOST_S = 2.0
ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join(str(ROOT / part) for part in (".", "layers/kiln", "cli", "local"))


@dataclass(frozen=True)
class Ended:
    """How a command ended; `seconds` of processor time, `megabytes` at its peak beyond what the
    program itself takes."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    megabytes: float

    def check(self) -> None:
        """It took neither too long nor too much, and did not die of it."""
        assert self.seconds < MOST_S, self
        assert self.megabytes < MOST_MB, self
        assert self.status in (0, 1, 2), self
        assert "fault of Kiln" not in self.stderr, self
        assert "Traceback" not in self.stderr, self


def ended(commands: list[list[str]], stdin: bytes = b"") -> list[Ended]:
    """Run commands one after the other."""
    done = subprocess.run(
        [sys.executable, __file__, *(json.dumps(command) for command in commands)],
        input=stdin,
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": PATH},
        timeout=300,
    )
    return [Ended(**json.loads(line)) for line in done.stdout.splitlines()]


def _pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _run(command: list[str], folder: str) -> dict[str, Any]:
    out, err = Path(folder) / "out", Path(folder) / "err"
    child = os.fork()
    if child == 0:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        _limited(command)
    _, status, used = os.wait4(child, 0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "status": os.waitstatus_to_exitcode(status),
        "stdout": out.read_text(errors="replace")[-4000:],
        "stderr": err.read_text(errors="replace")[-4000:],
        "seconds": used.ru_utime + used.ru_stime,
        "megabytes": max(0, used.ru_maxrss - before) / 1024,
    }


def _limited(command: list[str]) -> None:
    from kiln_cli.main import main

    # Twice as much address space as memory: allocators ask for more than they use.
    most = _pages() + 2 * MOST_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
    sys.argv = ["kiln", *command]
    status = 70
    try:
        main()
    except SystemExit as ending:
        status = int(ending.code or 0)
    except BaseException as error:  # noqa: BLE001 - as the program itself would end
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _main() -> None:
    import kiln_cli.commands.importing
    import kiln_cli.commands.validate
    import kiln_cli.elsewhere.placing
    import kiln_cli.image_builder.convert
    import kiln_cli.image_builder.reading
    import kiln_cli.opsworks.convert
    import kiln_cli.packer.convert
    import kiln_cli.packer.legacy
    import kiln_cli.packer.reading  # noqa: F401
    from kiln_cli.files import read_any  # noqa: F401
    from kiln_cli.packer.grammar import tree_of

    # The parser makes its tables once, and keeps them beside itself where it may.
    tree_of("a = 1")

    with tempfile.TemporaryDirectory() as folder:
        for line in sys.argv[1:]:
            sys.stdout.write(json.dumps(_run(json.loads(line), folder)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main()
