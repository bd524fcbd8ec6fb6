"""Auto Scaling groups with their launch templates, as far as a step needs them. Every method may
raise AwsBusy (try again later) or AwsRefused (for good, with AWS's code)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kiln.domain.group import GroupFacts, VersionFacts
    from kiln.domain.hooks import Hook, LifecycleAction, Result
    from kiln.domain.refreshing import RefreshFacts, RefreshOrder


@dataclass(frozen=True)
class VersionOrder:
    """One CreateLaunchTemplateVersion: `source` with another image. `label` is its description and
    tells it from others; `token` makes the call repeatable."""

    template: str
    source: int
    image: str
    label: str
    token: str


class Groups(Protocol):
    """Auto Scaling."""

    def describe(self, group: str) -> GroupFacts | None:
        """One group, None where there is none."""
        ...

    def using(self, template: str) -> tuple[GroupFacts, ...]:
        """All groups that name a launch template."""
        ...

    def set_launch(self, group: str, wanted: dict[str, dict[str, Any]]) -> None:
        """Set what a group launches from now on, as `configuration` gives it."""
        ...

    def tag(self, group: str, tags: dict[str, str]) -> None:
        """Put tags on a group and on what it launches."""
        ...

    # ------------------------------------------------------------ launch templates

    def version(self, template: str, version: str) -> VersionFacts | None:
        """One version by its number, `$Latest` or `$Default`; None where there is none."""
        ...

    def add_version(self, order: VersionOrder) -> int:
        """The number of a new version; the same label or token gives the same one."""
        ...

    def labelled(self, template: str, label: str) -> int | None:
        """The number of the version with this label."""
        ...

    def delete_version(self, template: str, number: int) -> None:
        """Delete a version; one that is gone is passed over."""
        ...

    # ------------------------------------------------------------ refreshes

    def start_refresh(self, order: RefreshOrder) -> str:
        """Start a refresh; its id. AwsRefused InstanceRefreshInProgress."""
        ...

    def refreshes(self, group: str) -> tuple[RefreshFacts, ...]:
        """A group's refreshes, the newest first."""
        ...

    def refresh(self, group: str, refresh: str) -> RefreshFacts | None:
        """One refresh, None where Auto Scaling does not know it."""
        ...

    def roll_back(self, group: str) -> bool:
        """Roll the refresh under way back; False where Auto Scaling cannot. Where none is under way
        any more nothing happens."""
        ...

    def cancel(self, group: str) -> None:
        """Cancel the refresh under way; where none is nothing happens."""
        ...

    # ------------------------------------------------------------ lifecycle hooks

    def hooks(self, group: str) -> tuple[Hook, ...]:
        """A group's hooks."""
        ...

    def put_hook(self, group: str, hook: Hook) -> None:
        """Add a hook, or change the one of that name."""
        ...

    def delete_hook(self, group: str, name: str) -> None:
        """Remove a hook; one that is gone is passed over."""
        ...

    def complete(self, action: LifecycleAction, result: Result) -> bool:
        """Answer a lifecycle action; False where nobody waits for the answer any more."""
        ...

    def beat(self, action: LifecycleAction) -> bool:
        """Ask for more time; False where nobody waits any more."""
        ...
