"""RefreshGroup: the next turn of a rollout to an Auto Scaling group, or of its way back."""

from kiln.runtime import step, world
from kiln.steps.refresh_group import GroupRefreshed, RefreshGroup, refresh_group


@step(RefreshGroup)
def handler(request: RefreshGroup) -> GroupRefreshed:
    return refresh_group(request, world())
