"""FollowGroup: start the change by which an instance of an Auto Scaling group joins or leaves."""

from kiln.runtime import step, world
from kiln.steps.follow_group import GroupEvent, GroupFollowed, follow_group


@step(GroupEvent)
def handler(event: GroupEvent) -> GroupFollowed:
    return follow_group(event, world())
