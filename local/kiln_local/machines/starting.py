"""Programs of the host are started here, and scripts are written here, never both at a time.

A file that any process has open for writing cannot be executed (execve(2), ETXTBSY), and between
fork and exec a child has open whatever its parent had. So a script that one thread writes could be
busy, because another one was starting a program just then, when an instance is to run it.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_lock = threading.Lock()


def start(command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
    """Start a program, as Popen does: on return it has been executed and holds nothing of ours."""
    with _lock:
        return subprocess.Popen(command, **how)


def run(
    command: Sequence[str], given: bytes | None = None, check: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; CalledProcessError where it fails and `check` asks for that."""
    stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
    process = start(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        output, errors = process.communicate(given)
    done = subprocess.CompletedProcess(command, process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


def write_script(path: Path, content: bytes, mode: int = 0o700) -> None:
    """Write a file that is to be executed soon."""
    with _lock:
        path.write_bytes(content)
    path.chmod(mode)
