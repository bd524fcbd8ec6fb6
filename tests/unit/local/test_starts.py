from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kiln_local.clock import SimClock
from kiln_local.latencies import Latencies
from kiln_local.starts import modelled, row_of


@pytest.fixture
def clock() -> Iterator[SimClock]:
    clock = SimClock(1000.0)
    yield clock
    clock.end()


def an_aws(clock: SimClock, run: Any) -> Any:
    functions = SimpleNamespace(run=run, specifications={"wake": {"MemorySize": 512}})
    return SimpleNamespace(
        clock=clock, functions=functions, ec2=SimpleNamespace(latencies=Latencies())
    )


def test_a_function_is_cold_until_an_environment_of_it_is_idle(clock: SimClock) -> None:
    aws = an_aws(clock, lambda _name, event: (event, False))
    with modelled(aws) as counted:
        assert aws.functions.run("wake", 1) == (1, False)
        assert aws.functions.run("wake", 2) == (2, False)
    assert counted == {"cold": 1, "warm": 1}


def test_two_at_once_are_both_cold(clock: SimClock) -> None:
    def run(name: str, event: int) -> tuple[int, bool]:
        return aws.functions.run(name, event - 1) if event else (0, False)

    aws = an_aws(clock, run)
    with modelled(aws) as counted:
        aws.functions.run("wake", 1)
    assert counted == {"cold": 2}


@pytest.mark.parametrize(("memory", "row"), [(128, 128), (511, 256), (512, 512), (10_240, 1769)])
def test_memory_takes_the_row_that_it_reaches(memory: int, row: int) -> None:
    assert row_of(memory) == f"function-cold-{row}"
    assert Latencies().draw(row_of(memory)) > Latencies().draw("function-warm")
