"""One machine room for a run of these tests; each test starts and ends its own instances."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from kiln_local.machines.asking import nobody
from tests.sandbox.apps import ROW, Machine, served_by
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, roomy_folder


@pytest.fixture(scope="session")
def room() -> Iterator[Bakery]:
    home = roomy_folder()
    bakery = Bakery(home)
    assert bakery.room.sandbox_error is None, bakery.room.sandbox_error
    yield bakery
    bakery.room.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def bakery(room: Bakery) -> Iterator[Bakery]:
    yield room
    room.stop(BUILDER, CLONE)
    room.reboots = 0


@pytest.fixture
def machine(bakery: Bakery) -> Iterator[Machine]:
    bakery.start(ROW)
    made = Machine(bakery)
    bakery.room.answer = served_by(made)
    yield made
    bakery.room.answer = nobody
