"""Where a bake's time went, and how long one will take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln_cli.history import Span
from kiln_cli.timing import WAITS, estimate, minutes, parts
from tests.builders import NOW, a_record

ROOT = Path(__file__).resolve().parents[3]


def lasted(
    seconds: float, status: BakeStatus = BakeStatus.SUCCEEDED, line: float = 0
) -> BakeRecord:
    record = a_record()
    turn = NOW + timedelta(seconds=line)
    plan = record.plan.model_copy(update={"started": NOW, "turn": turn if line else None})
    ended = NOW + timedelta(seconds=line + seconds)
    return record.model_copy(update={"plan": plan, "status": status, "ended": ended})


def test_every_state_that_waits_is_known_and_no_other() -> None:
    states: dict[str, Any] = yaml.safe_load((ROOT / "statemachine/bake.asl.yaml").read_text())
    waiting = {
        name
        for name, state in states["States"].items()
        if "waitForTaskToken" in state.get("Resource", "") or state["Type"] in ("Wait", "Map")
    }
    assert set(WAITS) == waiting


def test_what_is_not_waited_for_is_kilns_own() -> None:
    spans = [
        Span("PlanBake", 0, 1),
        Span("AwaitTurn", 1, 61),
        Span("AwaitBuilder", 62, 100),
        Span("AwaitStep", 101, 111),
        Span("AwaitPrepare", 112, 114),
        Span("AwaitStep", 115, 120),
        Span("AwaitClean", 121, 123),
    ]
    told = [(part.of, part.what, part.s) for part in parts(spans, 130)]
    assert told == [
        ("turn", "its turn", 60),
        ("aws", "boot of the builder", 38),
        ("blueprint", "steps", 15),
        ("aws", "documents on the builder", 4),
        ("kiln", "everything else", 13),
    ]


def test_what_is_under_way_counts_until_now() -> None:
    told = parts([Span("PlanBake", 0, 1), Span("AwaitBuilder", 2)], 12)
    assert [(part.of, part.s) for part in told] == [("aws", 10), ("kiln", 2)]


def test_states_within_a_map_count_once() -> None:
    spans = [Span("Distribute", 10, 50), Span("AwaitCopy", 11, 49), Span("AwaitCopy", 12, 48)]
    assert [(part.of, part.s) for part in parts(spans, 60)] == [("aws", 40), ("kiln", 20)]


def test_the_middle_of_the_last_five_is_expected() -> None:
    records = [lasted(s) for s in (9_000, 200, 240, 260, 300, 250)]
    found = estimate(records)
    assert found is not None
    assert (found.seconds, found.bakes) == (250, 5)
    assert str(found) == "about 4 min 10 s, by its last 5 bakes"


def test_time_in_line_and_bakes_that_failed_say_nothing() -> None:
    found = estimate([lasted(100, line=5_000), lasted(7, BakeStatus.FAILED)])
    assert str(found) == "about 1 min 40 s, by its last bake"
    assert estimate([lasted(7, BakeStatus.FAILED)]) is None


@pytest.mark.parametrize(("s", "said"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (48, "48 s")])
def test_minutes(s: float, said: str) -> None:
    assert minutes(s) == said
