"""The local AWS for the commands: how it is told to end."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from kiln_cli.local import ToldToEnd


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
