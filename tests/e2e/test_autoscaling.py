"""A layer that is an Auto Scaling group: its instances join and leave by hooks and run recipes, it
takes an image by an instance refresh, and an alarm half way leaves it as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from kiln.domain.instance import InstanceState
from kiln.domain.rollout import RolloutStatus
from kiln.domain.stack import Stack, stack_from
from kiln.steps._hooks import put_hooks
from kiln_local.world import LocalAws
from tests.e2e.layers import NOTE, Layers
from tests.e2e.running import ROOT
from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import until

S = InstanceState
SIZE = 10
# Slow: commands that are not delivered in ten minutes fail, and so does a refresh without progress
# for an hour, while ten instances share two processors here.
SPEED = 30.0
pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
REFRESH = {"min_healthy_percentage": 50, "instance_warmup": "1s"}
RECIPES = {event: [NOTE] for event in ("setup", "deploy", "configure", "shutdown")}


@dataclass
class Shop:
    """A stack of one instance `web`, a group `api` and a small one, `queue`; and what instances had
    run when EC2 began to terminate them."""

    layers: Layers
    group: Crowd
    queue: Crowd
    last: dict[str, str] = field(default_factory=dict)

    @property
    def aws(self) -> LocalAws:
        """The local AWS."""
        return self.layers.aws

    def apply(self, **api: Any) -> Stack:
        """Apply the stack with a change of the layer `api`."""
        web = {"name": "web", "kind": "instances", "platform": "amazon-linux-2023", "count": 1}
        of_group = {
            "name": "api",
            "kind": "autoscaling",
            "group": self.group.name,
            "platform": "amazon-linux-2023",
            "recipes": RECIPES,
            # What takes half a second here takes minutes by the clock of the local AWS.
            "shutdown_timeout": "90m",
            "refresh": REFRESH,
            "blueprints": [{"blueprint": "shop", "alarms": ["errors"]}],
        }
        # It has no recipes and so no hooks, and Auto Scaling cannot roll it back.
        queue = {
            "name": "queue",
            "kind": "autoscaling",
            "group": "shop-queue",
            "refresh": REFRESH,
            "blueprints": [{"blueprint": "queue", "alarms": ["late"]}],
        }
        layers = [web | {"instance_type": "m7i.large", "recipes": RECIPES}, of_group | api, queue]
        stack = stack_from({"kind": "stack", "name": "shop", "layers": layers})
        before = self.layers.kiln.records.stack("shop")
        self.layers.kiln.records.put_stack(stack)
        put_hooks(stack, before, self.layers.kiln)
        return stack

    def watch(self, instance: Any, state: str) -> None:
        """Keep what an instance has run before its machine is gone."""
        if state == "shutting-down":
            path = self.aws.room.root(instance.id) / "srv/kiln/ran"
            self.last[instance.id] = path.read_text() if path.exists() else ""

    def images(self) -> set[str]:
        """The images of all instances of the group that are not gone."""
        found = self.layers.outside.ec2.describe_instances(
            Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": [self.group.name]}]
        )["Reservations"]
        alive = ("pending", "running")
        rows = (i for page in found for i in page["Instances"])
        return {i["ImageId"] for i in rows if i["State"]["Name"] in alive}

    def versions(self) -> list[int]:
        """The versions of the launch template."""
        found = self.layers.outside.ec2.describe_launch_template_versions(
            LaunchTemplateId=self.group.template
        )
        return sorted(v["VersionNumber"] for v in found["LaunchTemplateVersions"])

    def whole(self) -> None:
        """Everything serves, and everything that serves is known."""
        self.group.settled(SIZE)
        self.layers.quiet(90)
        entries = self.layers.members("api")
        assert {i.ec2_id for i in entries} == set(self.group.ids)
        assert {i.state for i in entries} == {S.ONLINE}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """The stack, its group grown to ten instances that have joined."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        layers = Layers(aws)
        group = Crowd(layers.outside, "shop-api", 0)
        queue = Crowd(layers.outside, "shop-queue", 2, Version="$Latest")
        for alarm in ("errors", "late"):
            layers.outside.an_alarm(alarm)
        made = Shop(layers, group, queue)
        made.apply()
        aws.ec2.watchers.append(made.watch)
        first = layers.image()
        layers.announce(first, {"web": "replace"})
        layers.rollout(first, "web")
        group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=SIZE)
        made.whole()
        yield made


def test_instances_of_a_group_join_their_layer_by_its_recipes(shop: Shop) -> None:
    entries = shop.layers.members("api")
    assert len(entries) == SIZE
    for entry in entries:
        ran = shop.layers.file(entry, "ran").splitlines()
        assert ran[:3] == ["setup api", "deploy api", "configure api"]
    (web,) = shop.layers.members("web")
    known = shop.layers.json(web, "configure")["opsworks"]["layers"]["api"]["instances"]
    assert {facts["private_ip"] for facts in known.values()} == {i.private_ip for i in entries}


def test_a_group_changes_over_with_enough_in_service_and_every_hook_heard(shop: Shop) -> None:
    before = set(shop.group.ids)
    image = shop.layers.image()
    fewest, over = [SIZE], threading.Event()

    def count() -> None:
        while not over.wait(0.25):
            fewest.append(shop.group.states.count("InService"))

    counter = threading.Thread(target=count)
    counter.start()
    shop.layers.announce(image, {"api": "replace"}, times=3)
    rollout = shop.layers.rollout(image, "api", 150)
    over.set()
    counter.join()
    assert (rollout.status, rollout.cause) == (RolloutStatus.SUCCEEDED, None)
    assert min(fewest) >= SIZE // 2
    shop.whole()
    assert shop.images() == {image}
    assert shop.group.told["LaunchTemplate"]["Version"] == str(max(shop.versions()))
    assert not before & set(shop.group.ids)
    for name in before:
        assert "shutdown api" in shop.last[name].splitlines(), shop.last[name]
    for entry in shop.layers.members("api"):
        ran = shop.layers.file(entry, "ran").splitlines()
        assert ran[:3] == ["setup api", "deploy api", "configure api"]


def test_an_alarm_half_way_leaves_the_group_as_it_was(shop: Shop) -> None:
    setting, versions, images = shop.group.told["LaunchTemplate"], shop.versions(), shop.images()
    untouched = set(shop.group.ids)
    image = shop.layers.image()
    shop.apply(refresh=REFRESH | {"checkpoint_percentages": [50], "checkpoint_delay": "2h"})
    shop.layers.announce(image, {"api": "replace"})
    until(lambda: shop.group.sent("Auto Scaling Instance Refresh Checkpoint Reached"), 120, 0.1)
    assert shop.group.versions.count(str(max(versions) + 1)) == SIZE // 2
    shop.layers.outside.ring("errors")
    rollout = shop.layers.rollout(image, "api", 150)
    shop.layers.outside.ring("errors", "OK")
    assert rollout.status is RolloutStatus.FAILED
    assert "errors is in ALARM" in (rollout.cause or "")
    assert "not as it was" not in (rollout.cause or "")
    shop.whole()
    assert shop.images() == images
    assert shop.versions() == versions
    assert shop.group.told["LaunchTemplate"] == setting
    assert len(untouched & set(shop.group.ids)) == SIZE // 2
    assert [i.image for i in shop.layers.members("api")] == [*images] * SIZE
    (told,) = [t for t in shop.layers.told("Rollout Rolled Back") if t["image"] == image]
    assert told["layer"] == "shop/api"


def test_a_group_that_auto_scaling_cannot_roll_back_is_led_back(shop: Shop) -> None:
    queue, ec2 = shop.queue.settled(2), shop.layers.outside.ec2
    image = shop.layers.image()
    shop.layers.announce(image, {}, blueprint="queue")
    until(lambda: "2" in queue.versions, 60, pause=0.1)
    shop.layers.outside.ring("late")
    rollout = shop.layers.rollout(image, "queue", 60)
    assert rollout.status is RolloutStatus.FAILED
    assert "late is in ALARM" in (rollout.cause or "")
    assert "not as it was" not in (rollout.cause or "")
    queue.settled(2)
    assert queue.versions == ["1", "1"]
    assert queue.told["LaunchTemplate"]["Version"] == "$Latest"
    found = ec2.describe_launch_template_versions(LaunchTemplateId=queue.template)
    assert [v["VersionNumber"] for v in found["LaunchTemplateVersions"]] == [1]
