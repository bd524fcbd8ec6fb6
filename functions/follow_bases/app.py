"""FollowBases: bake what stands on a base that has changed."""

from kiln.runtime import step, world
from kiln.steps.follow_bases import BasesFollowed, FollowBases, follow_bases


@step(FollowBases)
def handler(event: FollowBases) -> BasesFollowed:
    return follow_bases(event, world())
