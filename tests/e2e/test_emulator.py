"""Functions under AWS's Runtime Interface Emulator: cold once, then warm, in an environment of
their own, known to the local AWS by their names. `make emulator` makes what it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln_local.emulated import Emulated, RealTimeOnly, emulated
from kiln_local.emulator import Kit, NoKit
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT

PLAN = "kiln-PlanBakeFunction"
ASKED = {"request": {"blueprint": "nobody"}, "execution": "nobody-20260101-000000-abcd"}


def _has_kit() -> bool:
    try:
        Kit.of(ROOT)
    except NoKit:
        return False
    return True


pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not _has_kit(), reason="no kit here: `make emulator` makes it"),
]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(ROOT, speed=1.0) as aws:
        yield aws


@pytest.fixture(scope="module")
def emulation(aws: LocalAws) -> Iterator[Emulated]:
    with emulated(aws, aws.serve(0)) as found:
        yield found


def test_an_environment_is_cold_once(aws: LocalAws, emulation: Emulated) -> None:
    for _ in range(2):
        answer, failed = aws.functions.invoke(PLAN, {**ASKED, "started": "2026-01-01T00:00:00Z"})
        assert (answer["errorType"], failed) == ("InvalidBlueprint", True)
    assert [(one.function, one.cold) for one in emulation.invoked] == [
        ("plan_bake", True),
        ("plan_bake", False),
    ]


def test_calls_are_the_functions(aws: LocalAws, emulation: Emulated) -> None:
    aws.functions.invoke(PLAN, {**ASKED, "started": "2026-01-01T00:00:00Z"})
    calls = [call for call in aws.recorder.calls if call.caller == "plan_bake"]
    assert {call.operation for call in calls} == {"dynamodb:Query"}
    assert aws.recorder.outside == []


def test_what_it_counts_is_a_metric(aws: LocalAws, emulation: Emulated) -> None:
    aws.functions.invoke(PLAN, {"request": 1})
    found = [name for _, metric, _ in list(aws.metrics._points) for _, name in metric.dimensions]
    assert "InvalidRequest" in found


def test_a_local_aws_that_is_sped_up_has_none() -> None:
    class FastClock:
        speed = 200.0

    class Fast:
        clock = FastClock()

    with pytest.raises(RealTimeOnly, match="speed must be 1"), emulated(Fast(), ""):  # type: ignore[arg-type]
        pytest.fail("it began")
