"""Watching for agents: nobody is told that one has come online, so somebody looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiln.domain.waiting import InstanceOnline, WaitingToken
from kiln.errors import AwsBusy
from kiln.steps._sight import Sight
from kiln.steps._watching import GONE_S, LOOKS, PACE_S, WATCH_S, watch
from kiln.steps.wake import AwsEvent, wake
from tests.builders import NOW
from tests.fakes import FakeWorld


class Boots:
    """Instances that run, whose agents are waited for."""

    def __init__(self, number: int = 1) -> None:
        self.fake = FakeWorld()
        self.world = self.fake.world
        self.instances = [self.fake.fleet.add({}, "running") for _ in range(number)]
        self.tokens = [self.waits(instance) for instance in self.instances]
        self.looks = 0
        self.fake.clock.slept = self._slept
        self.then: Callable[[int], object] = lambda _: None

    def waits(self, instance: str) -> WaitingToken:
        wait = InstanceOnline(
            kind="instance-online",
            instance=instance,
            bake=f"{instance}-20261123-101500-9f3a",
            since=NOW.isoformat(),
            timeout_s=1200,
        )
        token = WaitingToken(wait=wait, state="AwaitBuilder", token=f"token of {instance}")
        self.world.waits.keep(instance, token)
        return token

    def _slept(self, _: float) -> None:
        self.looks += 1
        self.then(self.looks)

    def online(self, number: int) -> None:
        self.fake.agents.answering.add(self.instances[number])
        self.fake.commands.agents.add(self.instances[number])

    def watch(self) -> None:
        sight = Sight((token.wait for token in self.tokens), self.world)
        sight.open()
        watch(sight, self.world)

    @property
    def answered(self) -> list[str]:
        return [name.removeprefix("token of ") for name in self.fake.machines.outputs]


def test_an_agent_that_comes_online_is_seen_at_the_next_look_and_the_watch_ends_with_the_last() -> (
    None
):
    boots = Boots(2)
    boots.then = lambda look: boots.online(look // 4 - 1) if look in (4, 8) else None
    boots.watch()
    assert boots.answered == boots.instances
    assert boots.looks == 8
    assert boots.world.waits.all_of("instances") == ()


def test_who_begins_to_wait_is_watched_for_too() -> None:
    boots = Boots()

    def come(look: int) -> None:
        if look == 1:
            boots.instances.append(boots.fake.fleet.add({}, "running"))
            boots.waits(boots.instances[1])
            boots.online(1)
        if look == LOOKS + 2:
            boots.online(0)

    boots.then = come
    boots.watch()
    assert boots.answered == boots.instances[::-1]
    assert boots.looks == LOOKS + 2


def test_one_that_stays_away_is_left_to_the_heartbeats() -> None:
    boots = Boots()
    boots.watch()
    assert boots.looks == WATCH_S / PACE_S
    boots.fake.clock.move(600)
    boots.watch()
    assert boots.looks == WATCH_S / PACE_S
    assert boots.answered == []


def test_only_one_watches() -> None:
    boots = Boots()
    boots.world.waits.begin_look("agents", 1)
    boots.fake.clock.move(GONE_S - 1)
    boots.watch()
    assert boots.looks == 0


def test_a_watcher_that_has_gone_is_replaced_and_steps_back_when_it_is_there_again() -> None:
    boots = Boots()
    boots.world.waits.begin_look("agents", 1)
    boots.fake.clock.move(GONE_S)
    boots.then = lambda look: boots.world.waits.begin_look("agents", 0) if look == LOOKS else None
    boots.watch()
    assert boots.looks == LOOKS


def test_who_ends_a_watch_lets_others_begin_at_once() -> None:
    boots = Boots(2)
    boots.then = lambda look: boots.online(0) or boots.online(1) if look == 1 else None
    boots.watch()
    late = boots.waits(boots.fake.fleet.add({}, "running"))
    boots.tokens = [late]
    boots.watch()
    assert boots.looks == 1 + WATCH_S / PACE_S


@pytest.mark.parametrize("state", ["pending", "shutting-down"])
def test_nobody_watches_an_instance_that_does_not_run(state: str) -> None:
    boots = Boots()
    boots.fake.fleet.become(boots.instances[0], state)
    boots.watch()
    assert boots.looks == 0


def test_a_ping_of_a_life_before_ends_nothing() -> None:
    boots = Boots(2)
    boots.fake.fleet.become(boots.instances[0], "pending")
    boots.online(0)
    boots.watch()
    assert boots.answered == []


def test_a_busy_systems_manager_ends_the_watch_and_nothing_else() -> None:
    boots = Boots()

    def busy(_: int) -> None:
        raise AwsBusy("Throttling")

    boots.then = busy
    boots.watch()
    assert boots.looks == 1
    assert len(boots.world.waits.all_of("instances")) == 1


def test_the_event_that_an_instance_runs_begins_the_watch() -> None:
    boots = Boots()
    boots.then = lambda look: boots.online(0) if look == 3 else None
    event = {"detail-type": "x", "detail": {"instance-id": boots.instances[0]}}
    assert wake(AwsEvent.model_validate(event), boots.world).ended == 0
    assert boots.answered == boots.instances
