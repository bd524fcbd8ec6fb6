"""One machine room for all tests of a process: base trees are made once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from kiln_local.machines import MachineRoom
from tests.unit.local.machines.rooms import launched

_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def room() -> Iterator[MachineRoom]:
    """A room whose trees lie in memory where that can be written to; time-outs run ten times as
    fast."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="kiln-room-", dir=place) as home:
        made = MachineRoom(Path(home), speed=10)
        assert made.sandbox_error is None, made.sandbox_error
        yield made
        made.close()


@pytest.fixture(scope="session")
def plain(room: MachineRoom) -> Callable[[str], str]:
    """A running instance of each platform that tests share: none of them changes what others look
    at."""
    return cache(lambda platform: launched(room, platform))


@pytest.fixture(scope="session")
def al2023(plain: Callable[[str], str]) -> str:
    """The shared Amazon Linux 2023 instance."""
    return plain("amazon-linux-2023")
