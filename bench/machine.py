"""What was measured on: a machine, its versions, the day."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_PACKAGES = ("moto", "botocore", "pydantic", "aws-lambda-powertools")


def described(command: str) -> dict[str, Any]:
    """A measurement's circumstances, with the command that repeats it."""
    return {
        "command": command,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _printed("git", "rev-parse", "--short", "HEAD"),
        "machine": f"{_processor()}, {os.cpu_count()} processors, {_memory_gb():.0f} GB",
        "load": round(os.getloadavg()[0], 1),
        "versions": {
            "python": platform.python_version(),
            "linux": platform.release(),
            **{name: version(name) for name in _PACKAGES},
        },
    }


def environment() -> dict[str, str]:
    """This process's environment without what it says of an account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def kiln(*args: str) -> list[str]:
    """A `kiln` command of this checkout."""
    return [str(Path(sys.executable).with_name("kiln")), *args]


def _printed(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return ran.stdout.strip() or "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
