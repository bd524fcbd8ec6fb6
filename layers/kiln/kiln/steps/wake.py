"""Wake: AWS says that something changed; look again for every task that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kiln.domain.model import Lenient, Model
from kiln.steps._answering import end
from kiln.steps._sight import Sight
from kiln.steps._watching import watch

if TYPE_CHECKING:
    from kiln.ports import World

# Where each of AWS's events names its resource (EC2 User Guide and Systems Manager User Guide,
# events).
_RESOURCE_KEYS = (
    *("command-id", "instance-id", "ImageId", "stack-id", "layer", "alarmName"),
    "InstanceRefreshId",
)


class AwsEvent(Lenient):
    """An event of EventBridge, as far as it matters here."""

    detail_type: str = Field(alias="detail-type")
    detail: dict[str, Any]

    @property
    def resources(self) -> tuple[str, ...]:
        """The ids of what changed; a command ends on an instance, an instance is of a stack."""
        found = (self.detail.get(key) for key in _RESOURCE_KEYS)
        return tuple(value for value in found if isinstance(value, str))


class Woken(Model):
    """How many waiting tasks were ended."""

    ended: int


def wake(event: AwsEvent, world: World) -> Woken:
    """End every task whose wait is over or out of time. An event that nobody waits for is no error.
    AwsBusy."""
    # A command that ended on an instance is waited for under both.
    tokens = {t.token: t for name in event.resources for t in world.waits.of(name)}
    sight = Sight((token.wait for token in tokens.values()), world)
    ended = sum(end(token, sight, world) for token in tokens.values())
    watch(sight, world)
    return Woken(ended=ended)
