"""The local AWS for the commands: how it is told to end, and what it leaves as it was."""

from __future__ import annotations

import gc
import signal
import threading
import time
from pathlib import Path

import pytest

from kiln_cli.local import ToldToEnd, local_place

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_another_thread_gets_ends_the_wait(number: signal.Signals) -> None:
    def get_it() -> None:
        time.sleep(0.1)
        signal.pthread_kill(threading.get_ident(), number)

    with ToldToEnd() as told:
        other = threading.Thread(target=get_it)
        other.start()
        told.wait()
    other.join()


@pytest.mark.timeout(20)
def test_a_signal_before_the_wait_is_not_forgotten() -> None:
    with ToldToEnd() as told:
        signal.raise_signal(signal.SIGTERM)
        told.wait()


def test_what_a_local_aws_is_made_of_is_not_looked_through_while_it_runs() -> None:
    with local_place(ROOT, 1000):
        assert gc.isenabled()
        assert gc.get_freeze_count() > 100_000
    assert gc.isenabled()
    assert gc.get_freeze_count() < 10_000
