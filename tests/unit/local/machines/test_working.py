"""Whether a script that is over its time waits or works."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from kiln_local.machines.working import Limit, communicate


def started(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def over(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_what_ends_in_time_is_its_output() -> None:
    assert communicate(started("echo out; echo err >&2"), Limit(5, 5)) == (b"out\n", b"err\n")


def test_what_only_waits_is_over_at_once() -> None:
    # The test's own time limit is less than its whole time.
    process = started("sleep 600")
    with pytest.raises(subprocess.TimeoutExpired):
        communicate(process, Limit(0.1, 600))
    over(process)


def test_what_works_may_go_on_to_its_end() -> None:
    script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done"
    assert communicate(started(script), Limit(0.01, 60)) == (b"done\n", b"")


def test_many_short_children_are_work_too() -> None:
    script = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; echo done"
    assert communicate(started(script), Limit(0.01, 60)) == (b"done\n", b"")


def test_what_works_for_ever_is_over_when_its_whole_time_is() -> None:
    process = started("while :; do :; done")
    with pytest.raises(subprocess.TimeoutExpired):
        communicate(process, Limit(0.01, 1.0))
    over(process)


@pytest.mark.parametrize(
    ("seconds", "speed", "limit"),
    [(900, 300, Limit(3, 900)), (5, 300, Limit(1, 5)), (60, 1, Limit(60, 60))],
)
def test_a_time_out_is_divided_for_what_waits_only(
    seconds: float, speed: float, limit: Limit
) -> None:
    assert Limit.of(seconds, speed) == limit
