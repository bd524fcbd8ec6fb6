"""FollowGroup: an Auto Scaling group has launched an instance, or is about to terminate one; start
the change by which it joins its layer or leaves it.

EventBridge delivers at least once. The change is named after the lifecycle action, so that a second
delivery starts nothing; what joined once and has left does not come back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from pydantic import AwareDatetime, Field, model_validator

from kiln.domain.hooks import LAUNCHING, LifecycleAction
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Lenient, Model
from kiln.domain.naming import member_id
from kiln.domain.rollout import RolloutStatus
from kiln.errors import AwsBusy
from kiln.steps._instances import follow_member

if TYPE_CHECKING:
    from kiln.domain.stack import Layer
    from kiln.ports import InstanceFacts, World

_GONE = ("shutting-down", "terminated")
# What is prepared for a group's warm pool joins once it enters the group; the hook is heard again
# then (Auto Scaling User Guide, "Use lifecycle hooks with a warm pool").
_POOL = "WarmPool"
# Within it EC2 may not know an instance that was launched (EC2 API Reference, "Eventual
# consistency"); after it the event is a late copy.
_FRESH = timedelta(minutes=10)


class GroupDetail(Lenient):
    """What Auto Scaling tells (Auto Scaling User Guide, "Amazon EC2 Auto Scaling event
    reference"). `token` and `hook` come together, where an instance waits for a hook."""

    group: str = Field(alias="AutoScalingGroupName")
    instance: str = Field(alias="EC2InstanceId")
    hook: str = Field("", alias="LifecycleHookName")
    token: str = Field("", alias="LifecycleActionToken")
    transition: str = Field("", alias="LifecycleTransition")
    destination: str = Field("", alias="Destination")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.hook) != bool(self.token):
            raise ValueError("LifecycleActionToken and LifecycleHookName: one is without the other")
        return self


class GroupEvent(Lenient):
    """An event of Auto Scaling: an instance waits for a lifecycle hook, or is terminated."""

    detail_type: str = Field(alias="detail-type")
    time: AwareDatetime
    detail: GroupDetail

    @property
    def action(self) -> LifecycleAction | None:
        """What waits for an answer, if anything does."""
        told = self.detail
        if not told.token:
            return None
        return LifecycleAction(
            group=told.group, hook=told.hook, token=told.token, instance=told.instance
        )


class GroupFollowed(Model):
    """The change that was started, none where there is nothing to do."""

    started: str | None


def follow_group(event: GroupEvent, world: World) -> GroupFollowed:
    """Start what is not started yet. AwsBusy."""
    action, instance = event.action, event.detail.instance
    place = _place(event.detail.group, world)
    if place is None or (event.detail.destination == _POOL and _launches(event)):
        return _passed(action, world)
    stack, layer = place
    own = member_id(instance)
    if not _launches(event):
        if world.records.instance(stack, own) is None:
            return _passed(action, world)
        return _started(stack, own, "leave", action, world)
    if action and world.records.claimed(_key(action)) is None:
        facts = _described(instance, event.time, world)
        if facts is None:
            return GroupFollowed(started=None)
        world.records.add_instance(_record(stack, layer, facts, world))
        world.records.claim(_key(action), own)
    return _started(stack, own, "join", action, world)


def _described(instance: str, told: datetime, world: World) -> InstanceFacts | None:
    """The instance, None where it is gone. AwsBusy for one that EC2 does not tell of yet."""
    facts = world.fleet.describe(instance)
    if facts is None and world.clock.now() - told < _FRESH:
        raise AwsBusy(
            f"EC2 does not tell of {instance} yet, which a group launched at {told:%FT%TZ}"
        )
    return None if facts is None or facts.state in _GONE else facts


def _launches(event: GroupEvent) -> bool:
    return event.detail.transition == LAUNCHING


def _key(action: LifecycleAction) -> str:
    return f"lifecycle/{action.token}"


def _place(group: str, world: World) -> tuple[str, Layer] | None:
    """The layer whose group it is."""
    for stack in world.records.stacks():
        for layer in stack.layers:
            if layer.kind == "autoscaling" and layer.group == group:
                return stack.name, layer
    return None


def _passed(action: LifecycleAction | None, world: World) -> GroupFollowed:
    """Kiln has no business with it, and does not hold it up."""
    if action:
        world.groups.complete(action, "CONTINUE")
    return GroupFollowed(started=None)


def _record(stack: str, layer: Layer, facts: InstanceFacts, world: World) -> LayerInstance:
    image = world.records.image(facts.image)
    return LayerInstance(
        id=member_id(facts.id),
        stack=stack,
        layers=(layer.name,),
        # Many come at once, and nothing is shared by which they could agree on numbers.
        hostname=f"{layer.name.replace('.', '-').replace('_', '-')}-{facts.id[-8:]}",
        state=InstanceState.STOPPED,
        ec2_id=facts.id,
        image=facts.image,
        platform=(image.platform if image else "") or layer.platform or "",
        architecture=image.architecture if image else "",
        instance_type=facts.instance_type,
        created_at=world.clock.now().isoformat(),
        rollout=_rollout(f"{stack}/{layer.name}", facts.image, world),
    )


def _rollout(layer: str, image: str, world: World) -> str | None:
    """The rollout that brings an image to a layer just now."""
    rollout = world.records.rollout(image, layer)
    running = rollout is not None and rollout.status is RolloutStatus.RUNNING
    return rollout.id if rollout and running else None


def _started(
    stack: str, own: str, change: str, action: LifecycleAction | None, world: World
) -> GroupFollowed:
    what = action.token if action else "gone"
    return GroupFollowed(started=follow_member(change, (stack, own), what, action, world))
