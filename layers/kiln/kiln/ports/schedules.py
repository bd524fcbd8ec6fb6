"""EventBridge Scheduler, as far as `kiln apply` needs it. Every method may raise AwsBusy or
AwsRefused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Timing:
    """When a blueprint is baked: an expression of EventBridge Scheduler in a time zone."""

    expression: str
    time_zone: str


@dataclass(frozen=True)
class Standing:
    """A schedule as it stands: `altered` names what of it is no longer as Kiln wrote it."""

    timing: Timing
    altered: tuple[str, ...] = ()


class Schedules(Protocol):
    """The schedules of blueprints, one each, in the deployment's schedule group."""

    def look(self, blueprint: str) -> Standing | None:
        """A blueprint's schedule, None where it has none."""
        ...

    def put(self, blueprint: str, timing: Timing) -> None:
        """Make a blueprint's schedule, or make it what it should be."""
        ...

    def remove(self, blueprint: str) -> None:
        """Remove a blueprint's schedule; one that is gone is passed over."""
        ...
