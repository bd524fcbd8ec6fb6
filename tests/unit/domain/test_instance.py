"""The states of a layer's instance and the ways between them."""

from __future__ import annotations

import itertools

import pytest

from kiln.domain.instance import FAILED, LEAVING, STARTING, InstanceState, may_become

S = InstanceState
START = ["stopped", "requested", "pending", "booting", "running_setup", "online"]
STOP = ["online", "stopping", "shutting_down", "stopped"]


@pytest.mark.parametrize(
    "way",
    [
        START,
        STOP,
        ["online", "rebooting", "online"],
        ["running_setup", "setup_failed", "running_setup", "online", "running_setup"],
        ["online", "connection_lost", "stopping", "shutting_down", "stopped", "requested"],
        ["booting", "start_failed", "stopping", "stop_failed", "stopping", "shutting_down"],
        ["shutting_down", "terminated", "stopped"],
        ["stopped", "terminating", "terminated"],
    ],
    ids="-".join,
)
def test_an_instance_goes_the_ways_that_opsworks_knew(way: list[str]) -> None:
    """Edges of the guide's pages on starting, stopping and healing."""
    for before, after in itertools.pairwise(way):
        assert may_become(S(before), S(after)), (before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("stopped", "online"),
        ("online", "requested"),
        ("setup_failed", "online"),
        ("booting", "online"),
        ("terminated", "requested"),
        ("online", "terminating"),
        ("stopping", "stopped"),
    ],
)
def test_no_state_is_passed_over(before: str, after: str) -> None:
    assert not may_become(S(before), S(after))


def test_every_state_leads_somewhere_and_is_reached() -> None:
    for state in S:
        assert any(may_become(state, after) for after in S), state
        assert any(may_become(before, state) for before in S), state
        # No state leads to itself: a repeat is not a change.
        assert not may_become(state, state)


def test_every_failed_or_lost_instance_can_be_stopped() -> None:
    for state in (*FAILED, S.CONNECTION_LOST):
        assert may_become(state, S.STOPPING)


def test_groups_of_states_do_not_overlap() -> None:
    assert not STARTING & LEAVING
    assert not (STARTING | LEAVING) & FAILED
    assert S.ONLINE not in STARTING | LEAVING | FAILED
