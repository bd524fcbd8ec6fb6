"""Many bakes at once under EC2's token buckets: all succeed, nobody is refused for good, nothing is
left behind, and who waits is looked at together.

Counts, never seconds of the machine: KILN_CROWD says how many, `make crowd` bakes a hundred.
"""

from __future__ import annotations

import os

import pytest

from bench.crowd import Crowd, bake_together
from bench.scale import row_of

COUNT = int(os.environ.get("KILN_CROWD", "20"))
pytestmark = [pytest.mark.long, pytest.mark.timeout(120 + 20 * COUNT)]


@pytest.fixture(scope="module")
def alone() -> Crowd:
    return bake_together(1)


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return bake_together(COUNT)


def test_all_of_a_crowd_succeed_and_leave_nothing(crowd: Crowd) -> None:
    assert crowd.failures == ()
    assert len(set(crowd.images)) == COUNT
    assert crowd.leaks == ()


def test_nobody_of_a_crowd_is_refused_for_good(crowd: Crowd) -> None:
    assert crowd.given_up == {}
    # Their launches come at the pace at which EC2 grants them; few find a bucket empty.
    assert crowd.refused.total() <= COUNT / 2


def test_describes_are_shared(alone: Crowd, crowd: Crowd) -> None:
    assert crowd.per_bake("ec2:DescribeInstances") <= 0.8 * alone.per_bake("ec2:DescribeInstances")
    assert crowd.per_bake("ec2:DescribeImages") <= alone.per_bake("ec2:DescribeImages")
    agents = "ssm:DescribeInstanceInformation"
    assert crowd.per_bake(agents) < 0.8 * alone.per_bake(agents)


def test_a_crowd_costs_no_more_calls_a_bake_than_one_alone(alone: Crowd, crowd: Crowd) -> None:
    assert crowd.calls_per_bake <= alone.calls_per_bake


def test_a_crowd_takes_hardly_longer_than_the_buckets_make_it(alone: Crowd, crowd: Crowd) -> None:
    # Simulated time, which is AWS's alone: the machine's own work takes next to none of it.
    row = row_of(crowd, alone.makespan_s)
    assert row["ratio"] <= 1.15, row
