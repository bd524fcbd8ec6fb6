"""Agents of Systems Manager: who is Online, who was lost, and what is heard in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from kiln_local.agents import LOST_AFTER_S, Agents
from kiln_local.clock import SimClock

ONE = "i-1"


@pytest.fixture
def agents() -> Iterator[Agents]:
    """Agents of which one has come up."""
    clock = SimClock(20_000)
    agents = Agents(clock)
    agents.come(ONE)
    yield agents
    clock.end()


def lost(agents: Agents) -> float:
    """Wait until an agent is lost; the simulated seconds since it was heard of."""
    while agents.online(ONE):
        time.sleep(0.001)
    heard = agents.heard(ONE)
    assert heard is not None
    return (agents.clock.now() - heard).total_seconds()


def test_a_silent_agent_is_lost_after_five_minutes_without_a_ping(agents: Agents) -> None:
    agents.silence(ONE)
    heard = agents.heard(ONE)
    assert agents.online(ONE)
    assert lost(agents) >= LOST_AFTER_S == 300
    assert agents.heard(ONE) == heard


def test_a_lost_agent_that_speaks_again_is_online_at_once(agents: Agents) -> None:
    agents.silence(ONE)
    lost(agents)
    agents.speak(ONE)
    assert agents.online(ONE)


@pytest.mark.parametrize("for_good", [False, True])
def test_a_new_boot_mends_a_silent_agent_unless_it_is_for_good(
    agents: Agents, for_good: bool
) -> None:
    agents.silence(ONE, for_good)
    lost(agents)
    agents.go(ONE)
    agents.come(ONE)
    assert agents.online(ONE) is not for_good


def test_an_orderly_stop_is_seen_at_once(agents: Agents) -> None:
    agents.go(ONE)
    assert not agents.online(ONE)
    assert agents.known() == [ONE]


def test_a_terminated_instance_is_not_listed(agents: Agents) -> None:
    agents.forget(ONE)
    assert agents.known() == []
    assert not agents.online(ONE)


def test_an_agent_that_never_came_up_is_not_known(agents: Agents) -> None:
    agents.silence("i-2", for_good=True)
    agents.come("i-2")
    assert agents.known() == [ONE]
    assert not agents.online("i-2")


def test_what_is_said_to_a_silent_agent_is_heard_when_it_speaks_again(agents: Agents) -> None:
    agents.silence(ONE)
    soon = agents.clock.now() + timedelta(seconds=100)
    assert not agents.reached(ONE, soon)
    assert agents.clock.now() >= soon
    agents.clock.after(100, lambda: agents.speak(ONE))
    late = agents.clock.now() + timedelta(hours=10)
    assert agents.reached(ONE, late)
    assert agents.clock.now() < late


def test_of_a_terminated_instance_nothing_is_heard_in_time(agents: Agents) -> None:
    soon = agents.clock.now() + timedelta(seconds=200)
    agents.clock.after(50, lambda: agents.forget(ONE))
    agents.silence(ONE)
    assert not agents.reached(ONE, soon)
    assert not agents.reached(ONE, soon)
    assert agents.clock.now() >= soon


def test_of_one_that_is_gone_nothing_is_heard_whoever_asks_at_that_moment(agents: Agents) -> None:
    (known,) = agents.known()
    agents.forget(known)
    assert agents.heard(known) is None
    assert not agents.online(known)
