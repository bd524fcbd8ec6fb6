"""Auto Scaling groups and launch templates: the fake and the adapter keep the same promises.

moto has no instance refresh and no client tokens; the local AWS has both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from kiln.adapters.groups import AsgGroups
from kiln.adapters.templates import Ec2Templates
from kiln.domain.group import TemplateUse, configuration
from kiln.domain.hooks import LAUNCHING, TERMINATING, Hook, LifecycleAction
from kiln.domain.refreshing import RefreshFacts, RefreshOrder
from kiln.errors import AwsRefused
from kiln.ports import Groups, VersionOrder
from tests.fakes import FakeGroups
from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import World, a_world

NEW = "ami-00000000000000002"


class Place(Protocol):
    """The port, and what a test must arrange beside it."""

    groups: Groups

    def a_group(self, name: str, version: str = "1", size: int = 0, **more: Any) -> str: ...

    def shared(self, name: str, template: str) -> None: ...

    def ended(self, group: str, refresh: str) -> RefreshFacts: ...

    def an_action(self, group: str) -> LifecycleAction: ...


class FakePlace:
    """The fake."""

    def __init__(self) -> None:
        self.fake = FakeGroups()
        self.groups: Groups = self.fake

    def a_group(self, name: str, version: str = "1", size: int = 0, **more: Any) -> str:
        template = f"lt-{name}"
        self.fake.a_group(name, template, version, size=size, **more)
        return template

    def shared(self, name: str, template: str) -> None:
        self.fake.a_group(name, template, size=0)

    def ended(self, group: str, refresh: str) -> RefreshFacts:
        now = self.fake.told[group][0]
        ends = {"RollbackInProgress": "RollbackSuccessful", "Cancelling": "Cancelled"}
        self.fake.become(group, ends.get(now.status, "Successful"))
        return self.fake.told[group][0]

    def an_action(self, group: str) -> LifecycleAction:
        self.fake.waiting.add("t" * 36)
        return LifecycleAction(group=group, hook="kiln-launch", token="t" * 36, instance="i-1")


class LocalPlace:
    """The adapter, on the local AWS."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.groups: Groups = AsgGroups(world.client("autoscaling"), Ec2Templates(world.ec2))
        self._crowds: dict[str, Crowd] = {}

    def a_group(self, name: str, version: str = "1", size: int = 0, **more: Any) -> str:
        crowd = Crowd(self.world, name, 0, Version=version, **more)
        crowd.api.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=size)
        self._crowds[name] = crowd.settled(size)
        return crowd.template

    def shared(self, name: str, template: str) -> None:
        other = Crowd(self.world, name, 0)
        use = {"LaunchTemplateId": template, "Version": "1"}
        other.api.update_auto_scaling_group(AutoScalingGroupName=name, LaunchTemplate=use)

    def ended(self, group: str, refresh: str) -> RefreshFacts:
        self._crowds[group].ended(refresh)
        found = self.groups.refresh(group, refresh)
        assert found is not None
        return found

    def an_action(self, group: str) -> LifecycleAction:
        crowd = self._crowds[group]
        crowd.api.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=1)
        (action,) = crowd.waits("launch")
        return LifecycleAction(
            group=group,
            hook=action["LifecycleHookName"],
            token=action["LifecycleActionToken"],
            instance=action["EC2InstanceId"],
        )


@pytest.fixture(scope="module")
def local_place() -> Iterator[LocalPlace]:
    """One local AWS for all tests here."""
    with a_world(speed=800) as world:
        yield LocalPlace(world)


@pytest.fixture(params=["fake", "local"])
def place(request: pytest.FixtureRequest) -> Place:
    """The fake, then the adapter."""
    if request.param == "fake":
        return FakePlace()
    found: Place = request.getfixturevalue("local_place")
    return found


def an_order(template: str, group: str, version: int | str, **more: Any) -> RefreshOrder:
    """A refresh to a version."""
    wanted = configuration(template, str(version), None)
    facts: dict[str, Any] = {"group": group, "wanted": wanted, "least_healthy": 50, "warmup_s": 0}
    return RefreshOrder(**(facts | more))


def a_version(place: Place, template: str, label: str = "kiln r", token: str = "r") -> int:
    """A version with a new image, which nobody launches."""
    return place.groups.add_version(VersionOrder(template, 1, NEW, label, token))


def again(place: Place, template: str) -> int:
    """A version with the same image."""
    known = place.groups.version(template, "1")
    assert known
    return place.groups.add_version(
        VersionOrder(template, 1, known.image, "again", f"again {template}")
    )


def test_a_group_is_told_with_its_template_as_it_is_set(place: Place) -> None:
    template = place.a_group("told")
    found = place.groups.describe("told")
    assert found
    assert (found.size, found.policy, found.launch_configuration) == (0, None, None)
    assert found.template == TemplateUse(id=template, version="1")
    assert place.groups.describe("nobody") is None
    latest = place.a_group("told-latest", "$Latest")
    follows = place.groups.describe("told-latest")
    assert follows
    assert follows.template == TemplateUse(id=latest, version="$Latest")


def test_groups_that_share_a_template_are_found(place: Place) -> None:
    template = place.a_group("shares")
    place.shared("shares-too", template)
    place.a_group("shares-not")
    assert {found.name for found in place.groups.using(template)} == {"shares", "shares-too"}


def test_tags_are_added_to_those_that_are_there(place: Place) -> None:
    place.a_group("tagged")
    place.groups.tag("tagged", {"a": "1"})
    place.groups.tag("tagged", {"b": "2"})
    found = place.groups.describe("tagged")
    assert found
    assert found.tags == {"a": "1", "b": "2"}


def test_a_version_is_made_once_for_a_label_and_deleted_once(place: Place) -> None:
    template = place.a_group("versions")
    assert place.groups.labelled(template, "kiln r") is None
    number = a_version(place, template)
    assert a_version(place, template, token="another") == number
    assert place.groups.labelled(template, "kiln r") == number
    made = place.groups.version(template, str(number))
    assert made
    assert (made.image, made.resolved, made.instance_type) == (NEW, NEW, "m7i.large")
    assert place.groups.version(template, "$Latest") == made
    first = place.groups.version(template, "$Default")
    assert first
    assert first.number == 1
    place.groups.delete_version(template, number)
    place.groups.delete_version(template, number)
    assert place.groups.version(template, str(number)) is None
    assert place.groups.version("lt-00000000000000000", "1") is None


def test_a_group_is_set_to_another_version_and_back(place: Place) -> None:
    template = place.a_group("sets", "$Latest")
    place.groups.set_launch("sets", configuration(template, "1", None))
    found = place.groups.describe("sets")
    assert found
    assert found.template.version == "1"
    place.groups.set_launch("sets", configuration(template, "$Latest", None))
    found = place.groups.describe("sets")
    assert found
    assert found.template.version == "$Latest"


def test_a_refresh_goes_to_its_end_and_sets_the_group(place: Place) -> None:
    template = place.a_group("goes", size=1)
    number = again(place, template)
    refresh = place.groups.start_refresh(an_order(template, "goes", number, rolls_back=True))
    with pytest.raises(AwsRefused) as found:
        place.groups.start_refresh(an_order(template, "goes", 1))
    assert found.value.code == "InstanceRefreshInProgress"
    told = place.groups.refresh("goes", refresh)
    assert told
    assert (told.template, told.version, told.is_active) == (template, str(number), True)
    ended = place.ended("goes", refresh)
    assert (ended.status, ended.is_active) == ("Successful", False)
    group = place.groups.describe("goes")
    assert group
    assert group.template.version == str(number)
    second = place.groups.start_refresh(an_order(template, "goes", 1))
    assert [told.id for told in place.groups.refreshes("goes")] == [second, refresh]
    assert place.groups.refresh("goes", "00000000-0000-4000-8000-000000000000") is None
    place.ended("goes", second)


def test_a_refresh_is_rolled_back_to_a_number_alone(place: Place) -> None:
    template = place.a_group("back", size=1)
    refresh = place.groups.start_refresh(an_order(template, "back", again(place, template)))
    assert place.groups.roll_back("back")
    assert place.ended("back", refresh).status == "RollbackSuccessful"
    assert place.groups.roll_back("back")
    latest = place.a_group("no-back", "$Latest", size=1)
    refresh = place.groups.start_refresh(an_order(latest, "no-back", again(place, latest)))
    assert not place.groups.roll_back("no-back")
    place.groups.cancel("no-back")
    assert place.ended("no-back", refresh).status == "Cancelled"
    place.groups.cancel("no-back")


def test_hooks_are_put_changed_and_removed(place: Place) -> None:
    place.a_group("hooked")
    launch = Hook("kiln-launch", LAUNCHING, 7200, "ABANDON")
    leave = Hook("kiln-terminate", TERMINATING, 600, "CONTINUE")
    place.groups.put_hook("hooked", launch)
    place.groups.put_hook("hooked", leave)
    assert set(place.groups.hooks("hooked")) == {launch, leave}
    place.groups.put_hook("hooked", replace(launch, heartbeat_s=60))
    assert replace(launch, heartbeat_s=60) in place.groups.hooks("hooked")
    for _ in range(2):
        place.groups.delete_hook("hooked", "kiln-launch")
    assert place.groups.hooks("hooked") == (leave,)


def test_a_lifecycle_action_is_answered_once(place: Place) -> None:
    place.a_group("answers")
    place.groups.put_hook("answers", Hook("kiln-launch", LAUNCHING, 7200, "ABANDON"))
    action = place.an_action("answers")
    assert place.groups.beat(action)
    assert place.groups.complete(action, "CONTINUE")
    assert not place.groups.complete(action, "CONTINUE")
    assert not place.groups.beat(action)


# ---------------------------------------------------------------- what only AWS may do


def test_a_mixed_policy_is_told_whole_with_its_types(local_place: LocalPlace) -> None:
    spare = Crowd(local_place.world, "spare", 0)
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": spare.at("1"),
            "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m7i.large"}],
        }
    }
    Crowd(local_place.world, "mixed", 0, MixedInstancesPolicy=policy)
    found = local_place.groups.describe("mixed")
    assert found
    assert found.types == ("m6i.large", "m7i.large")
    assert found.template == TemplateUse(id=spare.template, version="1")
    local_place.groups.set_launch("mixed", configuration(spare.template, "$Latest", found.policy))
    found = local_place.groups.describe("mixed")
    assert found
    assert (found.template.version, len(found.types)) == ("$Latest", 2)
