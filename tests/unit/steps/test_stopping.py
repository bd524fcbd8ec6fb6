"""Bakes whose executions are stopped from outside: their turns, their records."""

from __future__ import annotations

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.events import BakeFailed
from kiln.domain.turns import Line, Turn
from kiln.steps.teardown import Teardown, teardown
from tests.builders import a_document
from tests.fakes import FakeWorld
from tests.unit.steps.turning import after, ended, order, planned, status, waits


def test_a_bake_that_is_stopped_gives_its_turn_back_whatever_its_execution_is_called() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    answer = planned(fake, first)
    token = waits(fake, second)
    assert after(fake, first).error == "ABORTED"
    assert status(fake, answer) is BakeStatus.FAILED
    assert token in fake.machines.outputs
    assert planned(fake, second).verdict == "go"


def test_one_that_is_stopped_in_line_leaves_it_and_its_record_says_so() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    planned(fake, first)
    waits(fake, second)
    after(fake, second)
    assert fake.turns.line().waiting == ()
    statuses = {record.status for record in fake.records.bakes("web")}
    assert statuses == {BakeStatus.RUNNING, BakeStatus.FAILED}


def test_a_bake_that_runs_keeps_its_turn_whatever_an_event_says() -> None:
    fake = FakeWorld()
    asked = order(a_document(), 1)
    planned(fake, asked)
    teardown(Teardown(bake=asked.execution, ended=True), fake.world)
    assert len(fake.turns.line().running) == 1


def test_a_bake_that_somebody_stops_counts_in_no_row() -> None:
    fake = FakeWorld()
    asked = order(a_document(rebuild={"pause_after": 1}), 1, trigger="schedule")
    planned(fake, asked)
    after(fake, asked)
    assert fake.pauses.paused("web") is None


@pytest.mark.parametrize("waited", [False, True])
def test_a_plan_that_is_made_while_its_execution_is_stopped_ends_its_own_bake(
    waited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    if waited:
        planned(fake, first)
        planned(fake, second)
        ended(fake, first)
    take = fake.turns.take

    def stopped_meanwhile(turn: Turn, most: int) -> bool:
        after(fake, second)
        return take(turn, most)

    monkeypatch.setattr(fake.turns, "take", stopped_meanwhile)
    answer = planned(fake, second)
    record = fake.records.bake(answer.bake)
    assert record is not None
    assert (record.status, record.error) == (BakeStatus.FAILED, "ABORTED")
    assert "was stopped from outside" in (record.cause or "")
    told = [event.bake for event in fake.bus.events if isinstance(event, BakeFailed)]
    assert answer.bake in told
    assert fake.turns.line() == Line()
