"""EC2's token buckets: how much passes, whose they are, and what a request costs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln_local.throttling import Bucket, Buckets, Request, Sizes, request_of


class Time:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def a_request(action: str = "RunInstances", **more: Any) -> Request:
    """A request of one account and Region."""
    return Request(**({"account": "1", "region": "eu-west-1", "action": action} | more))


def passed(buckets: Buckets, request: Request, times: int) -> int:
    """How many of so many requests at once pass."""
    return sum(buckets.admit(request) for _ in range(times))


@given(
    capacity=st.integers(1, 100),
    refill=st.sampled_from([0.1, 0.3, 1, 2, 5, 20]),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 40)), max_size=40),
)
def test_never_more_than_capacity_and_refill_pass(
    capacity: int, refill: float, steps: list[tuple[float, int]]
) -> None:
    bucket, now, taken = Bucket(capacity, refill, capacity, 0.0), 0.0, 0
    for pause, wanted in steps:
        now += pause
        for _ in range(wanted):
            if bucket.has(1, now):
                bucket.take(1)
                taken += 1
        assert taken <= capacity + refill * now + 1e-6
        assert -1e-9 <= bucket.tokens <= capacity


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 400)), max_size=30))
def test_of_a_request_that_is_refused_no_bucket_loses_anything(
    steps: list[tuple[float, int]],
) -> None:
    time, instances, requests = Time(), 0, 0
    buckets = Buckets(time)
    for pause, count in steps:
        time.now_s += pause
        if buckets.admit(a_request(instances=count)):
            requests, instances = requests + 1, instances + count
        assert requests <= 5 + 2 * time.now_s
        assert instances <= 1000 + 2 * time.now_s
    assert buckets.refused["ec2:RunInstances"] == len(steps) - requests


def test_what_is_empty_fills_again_up_to_its_size() -> None:
    time = Time()
    buckets = Buckets(time)
    assert passed(buckets, a_request(), 9) == 5
    time.now_s = 1.0
    assert passed(buckets, a_request(), 9) == 2
    time.now_s = 1000.0
    assert passed(buckets, a_request(), 9) == 5
    assert buckets.refused == {"ec2:RunInstances": 4 + 7 + 4}


@pytest.mark.parametrize(
    "other",
    [{"account": "2"}, {"region": "us-east-1"}, {"action": "StartInstances"}],
)
def test_each_account_region_and_action_has_buckets_of_its_own(other: dict[str, Any]) -> None:
    buckets = Buckets(Time())
    assert passed(buckets, a_request(), 9) == 5
    assert passed(buckets, a_request(**other), 9) == 5


@pytest.mark.parametrize(
    ("action", "narrow", "size"),
    [
        ("DescribeImages", True, 100),
        ("DescribeImages", False, 100),
        ("DescribeInstances", True, 100),
        ("DescribeInstances", False, 50),
        ("GetConsoleOutput", True, 100),
        ("CreateImage", True, 50),
        ("RegisterImage", True, 50),
        ("RunInstances", True, 5),
        ("TerminateInstances", True, 100),
        ("CreateTags", True, 100),
        ("EnableFastLaunch", True, 5),
        ("DisableImageBlockPublicAccess", True, 1),
    ],
)
def test_an_action_has_the_size_that_the_guide_gives_it(
    action: str, narrow: bool, size: int
) -> None:
    assert passed(Buckets(Time()), a_request(action, narrow=narrow), 200) == size


def test_a_thousand_instances_in_one_request_cost_a_thousand_tokens() -> None:
    buckets = Buckets(Time())
    assert buckets.admit(a_request("StopInstances", instances=990))
    assert not buckets.admit(a_request("StopInstances", instances=20))
    assert buckets.admit(a_request("StopInstances", instances=10))


def test_the_table_knows_each_action_once() -> None:
    sizes = Sizes()
    assert sizes.of("CopyImage") == (100, 1)
    assert sizes.of("ModifyVolume") == (50, 5)
    assert sizes.of("SearchLocalGatewayRoutes") == (100, 20)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"Action": ["DescribeInstances"]}, ("DescribeInstances", False, 0)),
        ({"Action": ["DescribeInstances"], "Filter.1.Name": ["x"]}, ("DescribeInstances", True, 0)),
        ({"Action": ["DescribeInstances"], "MaxResults": ["5"]}, ("DescribeInstances", True, 0)),
        (
            {"Action": ["StopInstances"], "InstanceId.1": ["i-1"], "InstanceId.2": ["i-2"]},
            ("StopInstances", True, 2),
        ),
        (
            {"Action": ["RunInstances"], "MinCount": ["1"], "MaxCount": ["3"]},
            ("RunInstances", False, 3),
        ),
    ],
)
def test_a_request_says_what_it_costs(
    given_: dict[str, list[str]], expected: tuple[str, bool, int]
) -> None:
    asked = SimpleNamespace(
        _get_action=lambda: given_["Action"][0],
        querystring=given_,
        current_account="1",
        region="eu-west-1",
    )
    found = request_of(asked)
    assert (found.action, found.narrow, found.instances) == expected
