"""One look for everybody who waits: how often AWS is asked, and that nobody is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from kiln.errors import AwsBusy, BuilderUnreachable, ImageFailed, StopFailed
from kiln.ports import InstanceFacts
from kiln.steps._looking_together import PACE_S
from kiln.steps.await_resource import AwaitResource, await_resource
from kiln.steps.wake import AwsEvent, wake
from tests.builders import BAKE, NOW, an_image
from tests.fakes import FakeWorld
from tests.fakes.fleet import FakeFleet


@dataclass
class CountingFleet(FakeFleet):
    """Counts its looks: how many instances each was for."""

    looks: list[int] = field(default_factory=list)
    error: AwsBusy | None = None

    def describe(self, instance: str) -> InstanceFacts | None:
        self._count(1)
        return super().describe(instance)

    def all_of(self, instances: Iterable[str]) -> tuple[InstanceFacts, ...]:
        wanted = list(instances)
        self._count(len(wanted))
        return super().all_of(wanted)

    def _count(self, number: int) -> None:
        if self.error:
            raise self.error
        self.looks.append(number)


def a_world() -> tuple[FakeWorld, CountingFleet]:
    fleet = CountingFleet()
    return FakeWorld(fleet=fleet), fleet


def waits(fake: FakeWorld, token: str, **wait: Any) -> bool:
    """Begin to wait, or look again when the heartbeat has run out."""
    common = {"bake": f"{token}-20261123-101500-9f3a", "since": NOW.isoformat(), "timeout_s": 600}
    request = {"wait": common | wait, "state": "Await", "token": token}
    return await_resource(AwaitResource.model_validate(request), fake.world).done


def until_stopped(fake: FakeWorld, token: str, instance: str) -> bool:
    return waits(fake, token, kind="instance-stopped", instance=instance)


def event(**detail: str) -> AwsEvent:
    return AwsEvent.model_validate({"detail-type": "something", "detail": detail})


def test_a_crowd_that_begins_to_wait_is_looked_at_once() -> None:
    fake, fleet = a_world()
    for number in range(30):
        until_stopped(fake, f"t{number}", fleet.add({}, "stopping"))
    assert fleet.looks == [1]
    fake.clock.move(PACE_S)
    until_stopped(fake, "last", fleet.add({}, "stopping"))
    assert fleet.looks == [1, 31]


def test_one_look_ends_everything_that_is_over_well_or_badly() -> None:
    fake, fleet = a_world()
    stops, dies, stays = (fleet.add({}, "stopping") for _ in range(3))
    online = fleet.add({}, "pending")
    for instance in (stops, dies, stays):
        until_stopped(fake, instance, instance)
    waits(fake, online, kind="instance-online", instance=online)
    fleet.become(stops, "stopped")
    fleet.become(dies, "terminated")
    fleet.become(online, "running")
    fake.commands.agents.add(online)
    fake.clock.move(PACE_S)
    assert not until_stopped(fake, stays, stays)
    assert fake.machines.outputs == {stops: {"instance": stops}, online: {"instance": online}}
    assert fake.machines.failures[dies][0] == "StopFailed"
    assert [t.token for t in fake.waits.all_of("instances")] == [stays]


def test_an_event_is_looked_at_however_lately_somebody_has_looked() -> None:
    fake, fleet = a_world()
    instance = fleet.add({}, "stopping")
    until_stopped(fake, "t", instance)
    fleet.become(instance, "stopped")
    assert wake(event(**{"instance-id": instance}), fake.world).ended == 1
    assert fake.machines.outputs == {"t": {"instance": instance}}


def test_what_a_look_missed_is_found_by_the_next_heartbeat_of_anybody() -> None:
    fake, fleet = a_world()
    first, second = fleet.add({}, "stopping"), fleet.add({}, "stopped")
    until_stopped(fake, "first", first)
    # Its event has come before its token was kept, and somebody has looked just now.
    assert not until_stopped(fake, "second", second)
    fake.clock.move(15)
    until_stopped(fake, "first", first)
    assert fake.machines.outputs == {"second": {"instance": second}}


def test_the_wait_that_is_too_late_says_so_though_others_look() -> None:
    fake, fleet = a_world()
    instance = fleet.add({}, "stopping")
    fake.clock.move(601)
    with pytest.raises(StopFailed, match="had not stopped"):
        until_stopped(fake, "first", instance)
    with pytest.raises(StopFailed, match="had not stopped"):
        until_stopped(fake, "second", instance)


def test_the_wait_of_another_that_is_too_late_is_ended_by_a_look() -> None:
    fake, fleet = a_world()
    late = fleet.add({}, "stopping")
    until_stopped(fake, "late", late)
    fake.clock.move(601)
    with pytest.raises(StopFailed):
        until_stopped(fake, "other", fleet.add({}, "stopping"))
    assert fake.machines.failures["late"][0] == "StopFailed"


def test_a_task_of_a_stopped_execution_is_looked_at_once_more_and_then_forgotten() -> None:
    fake, fleet = a_world()
    gone = fleet.add({}, "pending")
    waits(fake, "gone", kind="instance-online", instance=gone)
    fake.machines.gone.add("gone")
    fleet.become(gone, "terminated")
    fake.clock.move(PACE_S)
    until_stopped(fake, "other", fleet.add({}, "stopping"))
    assert [t.token for t in fake.waits.all_of("instances")] == ["other"]


def test_a_look_that_aws_is_too_busy_for_fails_nobody() -> None:
    fake, fleet = a_world()
    first, second = fleet.add({}, "stopping"), fleet.add({}, "stopping")
    until_stopped(fake, "first", first)
    fake.clock.move(PACE_S)
    fleet.error = AwsBusy("RequestLimitExceeded")
    with pytest.raises(AwsBusy):
        until_stopped(fake, "second", second)
    assert fake.machines.failures == {}
    fleet.error = None
    fleet.become(first, "stopped")
    fake.clock.move(PACE_S)
    until_stopped(fake, "second", second)
    assert fake.machines.outputs == {"first": {"instance": first}}


def test_images_are_looked_at_together_apart_from_instances_and_other_regions() -> None:
    fake, fleet = a_world()
    for number in range(3):
        fake.images.add(an_image(id=f"ami-{number}", state="pending"))
        waits(fake, f"t{number}", kind="image-available", image=f"ami-{number}")
    until_stopped(fake, "stops", fleet.add({}, "stopping"))
    assert fleet.looks == [1]
    fake.images.add(an_image(id="ami-0", state="available"))
    fake.images.add(an_image(id="ami-1", state="failed", state_reason="Client.Limit"))
    fake.clock.move(PACE_S)
    fake.images.add(an_image(id="ami-3", state="failed", state_reason="Client.Other"))
    with pytest.raises(ImageFailed, match=r"ami-3 is failed: Client\.Other"):
        waits(fake, "t3", kind="image-available", image="ami-3")
    assert fake.machines.outputs == {"t0": {"image": "ami-0"}}
    assert fake.machines.failures == {"t1": ("ImageFailed", "ami-1 is failed: Client.Limit")}


def test_a_command_is_looked_at_by_itself_and_at_once() -> None:
    fake, fleet = a_world()
    instance = fleet.add({}, "running")
    for number in range(3):
        command = {"command": f"c-{number}", "purpose": "step", "label": "step 'tune'"}
        waits(fake, f"t{number}", kind="command-done", instance=instance, **command)
    assert fleet.looks == [1, 1, 1]


def test_an_instance_that_dies_is_told_to_the_one_that_looks() -> None:
    fake, fleet = a_world()
    until_stopped(fake, BAKE, fleet.add({}, "stopping"))
    fake.clock.move(PACE_S)
    dead = fleet.add({}, "terminated")
    with pytest.raises(BuilderUnreachable, match="never came online"):
        waits(fake, "dead", kind="instance-online", instance=dead)
