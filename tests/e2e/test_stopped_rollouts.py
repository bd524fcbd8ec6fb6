"""Rollouts that are stopped, at every state: the layer is put back, or changed over, and serves
meanwhile; the next one goes well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from kiln.domain.instance import InstanceState
from kiln.domain.rollout import RolloutStatus, rollout_id
from tests.e2e.stopping import (
    Ground,
    a_failure,
    a_ground,
    a_stop,
    assert_told,
    bring,
    put_stack,
    serving,
)
from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import until

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
# Of a rollout to a layer with instances: the state, and the how-manieth time that it is entered.
FORWARD = [
    ("PlanRollout", 1),
    *(("AdvanceRollout", nth) for nth in (1, 2, 4)),
    *(("AwaitStep", nth) for nth in (1, 3)),
    ("FinishRollout", 1),
]
BACK = [("UndoRollout", 1), ("AwaitUndo", 1)]
GROUP_FORWARD = [("PlanRollout", 1), ("RefreshGroup", 1), ("AwaitRefresh", 1), ("FinishRollout", 1)]
GROUP_BACK = [("UndoRefresh", 1), ("AwaitTurnedBack", 1)]


def named(prefix: str, cases: Iterable[Any]) -> dict[str, Any]:
    """A name for each case."""
    return {f"{prefix}{number}": case for number, case in enumerate(cases)}


STACKS = named("f", FORWARD) | named("b", BACK) | {"resumed": ("AwaitStep", 2), "turn": None}
GROUPS = named("gf", GROUP_FORWARD) | named("gb", GROUP_BACK)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """A stack, or a group, for each of them."""
    with a_ground(*STACKS) as ground:
        for name in GROUPS:
            ground.groups[name] = Crowd(ground.shop.outside, name, 1)
            put_stack(ground, name, a_group(name))
        yield ground


def a_group(name: str) -> dict[str, Any]:
    """A layer that is an Auto Scaling group."""
    return {
        "name": "web",
        "kind": "autoscaling",
        "group": name,
        "refresh": {"min_healthy_percentage": 50, "instance_warmup": "10m"},
        "blueprints": [{"blueprint": "grouped", "strategy": "replace"}],
    }


def least(stack: str, told: list[dict[str, Any]], first: set[str]) -> int:
    """How many instances of a stack were online at least."""
    online, fewest = set(first), len(first)
    for change in told:
        if change["stack-id"] == stack:
            name = change["instance-id"]
            online = online | {name} if change["status"] == "online" else online - {name}
            fewest = min(fewest, len(online))
    return fewest


def test_a_rollout_that_is_stopped_anywhere_is_put_back_or_finished(ground: Ground) -> None:
    shop, records = ground.shop, ground.kiln.records
    before = {name: serving(ground, name) for name in STACKS}
    told = len(shop.told("Instance State Change"))
    image, other = shop.image(), shop.image()
    names = {stack: rollout_id(image, f"{stack}/web") for stack in STACKS}
    ground.use(
        *(a_stop("rollout", case[0], names[k], case[1]) for k, case in STACKS.items() if case),
        *(a_failure("AwaitStep", names[stack]) for stack in STACKS if stack.startswith("b")),
        # One that is stopped twice over.
        a_stop("rollout", "ResumeRollout", f"{names['resumed']}_end"),
        a_stop("rollout", "AwaitTurn", rollout_id(other, "turn/web")),
    )
    shop.announce(image, {})
    until(lambda: records.layer_holder("turn/web"))
    bring(ground, other, "turn/web")
    rollouts = {stack: ground.rollout(image, f"{stack}/web") for stack in STACKS}
    waiting = ground.rollout(other, "turn/web")
    ground.quiet()
    ground.all_acted()
    changes = shop.told("Instance State Change")[told:]
    for stack, rollout in rollouts.items():
        assert least(stack, changes, {name for name, _ in before[stack]}) >= 1
        assert records.layer_holder(f"{stack}/web") is None
        if rollout.status is RolloutStatus.SUCCEEDED:
            assert [found for _, found in serving(ground, stack)] == [image]
            continue
        assert serving(ground, stack) == before[stack], stack
        assert_told(ground, rollout, back=stack.startswith("b"))
    well = {stack for stack, r in rollouts.items() if r.status is RolloutStatus.SUCCEEDED}
    assert {"turn", "f6"} <= well
    assert not {"f0", "f1", "f4", "resumed", "b0", "b1"} & well
    assert (waiting.status, waiting.error) == (RolloutStatus.FAILED, "ABORTED")
    assert ground.running() == {e.ec2_id for name in STACKS for e in ground.members(name)}
    the_next_one_goes_well(ground, "f1", "b0", "resumed")


def the_next_one_goes_well(ground: Ground, *stacks: str) -> None:
    image = ground.shop.image()
    for stack in stacks:
        bring(ground, image, f"{stack}/web")
    for stack in stacks:
        ended = ground.rollout(image, f"{stack}/web")
        assert ended.status is RolloutStatus.SUCCEEDED, (stack, ended.cause)
    ground.quiet()


def test_a_group_whose_rollout_is_stopped_is_rolled_back(ground: Ground) -> None:
    shop = ground.shop
    for group in ground.groups.values():
        group.settled(1)
    image = shop.image()
    names = {layer: rollout_id(image, f"{layer}/web") for layer in GROUPS}
    ground.use(
        *(a_stop("rollout", state, names[k], nth) for k, (state, nth) in GROUPS.items()),
        # Late enough that there is an instance to take back, which takes a while.
        *(a_failure("AwaitRefresh", names[layer], 3) for layer in GROUPS if layer.startswith("gb")),
    )
    shop.announce(image, {}, blueprint="grouped")
    rollouts = {layer: ground.rollout(image, f"{layer}/web") for layer in GROUPS}
    ground.quiet()
    ground.all_acted()
    for layer, rollout in rollouts.items():
        group = ground.groups[layer].settled(1)
        if rollout.status is RolloutStatus.SUCCEEDED:
            assert (layer, group.versions) == ("gf3", ["2"])
            continue
        assert_told(ground, rollout, back=layer.startswith("gb"))
        assert group.versions == ["1"], layer
        assert group.told["LaunchTemplate"]["Version"] == "1"
        versions = shop.outside.ec2.describe_launch_template_versions(
            LaunchTemplateId=group.template
        )["LaunchTemplateVersions"]
        assert [v["VersionNumber"] for v in versions] == [1], layer
    last = shop.image()
    shop.announce(last, {}, blueprint="grouped")
    for layer in GROUPS:
        assert ground.rollout(last, f"{layer}/web").status is RolloutStatus.SUCCEEDED, layer
