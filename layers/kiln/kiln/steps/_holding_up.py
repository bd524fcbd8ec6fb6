"""Why instances that an Auto Scaling group has launched do not come into service, as far as Kiln's
lifecycle hooks are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.naming import member_id
from kiln.steps._taking_over import row_of

if TYPE_CHECKING:
    from kiln.domain.rollout import GroupRollout, Rollout
    from kiln.ports import World

# A reason names this many, and then how many more.
_MOST = 3


def why_held(rollout: Rollout, state: GroupRollout, world: World) -> str:
    """Words to add to the reason of a refresh that did not go on; none where no hook waits."""
    group = world.groups.describe(state.group)
    held = group.held if group else ()
    stack = rollout.layer.partition("/")[0]
    said = [f"; {name} {_why(stack, name, world)}" for name in held[:_MOST]]
    return "".join(said) + (f"; and {len(held) - _MOST} more" if len(held) > _MOST else "")


def _why(stack: str, instance: str, world: World) -> str:
    entry = world.records.instance(stack, member_id(instance))
    if entry is None:
        return (
            "waits for a lifecycle hook of which Kiln could take no notice; `kiln dlq list` and "
            "the log of the function follow-group say why"
        )
    if entry.change:
        row = row_of("instance", entry.change, world)
        if row.failed:
            return f"is {entry.state}, {row.said}"
    return f"is {entry.state}" + (f": {entry.error}" if entry.error else "")
