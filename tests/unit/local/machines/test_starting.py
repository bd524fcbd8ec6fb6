"""A script that is written to be run is never busy."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from kiln_local.machines import starting


def test_no_program_starts_while_a_script_is_written(tmp_path: Path) -> None:
    script = tmp_path / "script"
    started: list[bytes] = []
    begun = threading.Event()

    def start() -> None:
        begun.set()
        started.append(starting.run(["echo", "started"]).stdout)

    other = threading.Thread(target=start)
    write = Path.write_bytes

    def slowly(path: Path, content: bytes) -> int:
        other.start()
        begun.wait()
        other.join(0.2)
        assert not started
        return write(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", slowly)
        starting.write_script(script, b"#!/bin/sh\necho ran\n")
    other.join(10)
    assert started == [b"started\n"]
    assert starting.run([str(script)]).stdout == b"ran\n"


def test_what_fails_says_so_where_that_is_asked_for() -> None:
    assert starting.run(["false"]).returncode == 1
    with pytest.raises(subprocess.CalledProcessError):
        starting.run(["false"], check=True)
    assert starting.run(["cat"], b"given").stdout == b"given"
