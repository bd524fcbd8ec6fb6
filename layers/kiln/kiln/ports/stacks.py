"""What layers need beside instances: traffic, and the rounds of Configure. Every method may raise
AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.configure import Ask, Round
    from kiln.domain.deployment import Command, Deployment
    from kiln.domain.healing import Ping
    from kiln.domain.load import AlarmState, LoadStep


class Traffic(Protocol):
    """Target groups of load balancers, by their ARNs."""

    def register(self, groups: Iterable[str], instance: str) -> None:
        """Send requests to an instance; again is harmless."""
        ...

    def deregister(self, groups: Iterable[str], instance: str) -> None:
        """Send no more; groups and targets that are gone are passed over."""
        ...

    def health(self, group: str, instance: str) -> tuple[str, str]:
        """State (initial, healthy, unhealthy, draining, unused, ...) and reason."""
        ...


class Alarms(Protocol):
    """CloudWatch's alarms."""

    def ringing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of these names that are in ALARM. AwsRefused where one does not exist."""
        ...

    def look_at(self, names: Iterable[str]) -> dict[str, AlarmState]:
        """How these alarms are, by name; those that do not exist are left out."""
        ...


class Agents(Protocol):
    """Systems Manager's agents."""

    def pings(self, instances: Iterable[str]) -> dict[str, Ping]:
        """What is heard of these instances' agents; those that Systems Manager does not know are
        left out."""
        ...


class LoadSteps(Protocol):
    """The last step of each layer that is scaled by load."""

    def last(self, layer: str) -> LoadStep | None:
        """A layer's last step."""
        ...

    def put(self, step: LoadStep) -> bool:
        """Write a layer's next step; False where somebody else has since its number was read."""
        ...


class Rounds(Protocol):
    """Who has asked for Configure, and the rounds that answered."""

    def next_number(self, stack: str) -> int:
        """Count one wish more; its number."""
        ...

    def asked(self, stack: str) -> int:
        """The number of the last wish, 0 where there was none."""
        ...

    def hold(self, stack: str, holder: str, instead_of: str | None = None) -> bool:
        """Take the stack's rounds for oneself, from nobody or from one that is named; False while
        another has them."""
        ...

    def holder(self, stack: str) -> str | None:
        """Who has them."""
        ...

    def free(self, stack: str, holder: str, covered: int) -> bool:
        """Let go of them if nothing was asked after `covered`; False where something was."""
        ...

    def put_ask(self, ask: Ask) -> None:
        """Store a wish, over what was known of it."""
        ...

    def asks(self, stack: str) -> tuple[Ask, ...]:
        """A stack's wishes, oldest first."""
        ...

    def put_round(self, found: Round) -> None:
        """Store a round, over what was known of it."""
        ...

    def rounds(self, stack: str) -> tuple[Round, ...]:
        """A stack's rounds, oldest first."""
        ...


class Deployments(Protocol):
    """Lifecycle events that were run by hand, and what became of them."""

    def put(self, deployment: Deployment) -> None:
        """Store a deployment; the same again is harmless."""
        ...

    def get(self, stack: str, deployment: str) -> Deployment | None:
        """A deployment of a stack."""
        ...

    def all_of(self, stack: str) -> tuple[Deployment, ...]:
        """A stack's deployments, oldest first."""
        ...

    def put_command(self, stack: str, command: Command) -> None:
        """Store how a deployment ended on an instance, over what was known of it."""
        ...

    def commands(self, stack: str, deployment: str) -> tuple[Command, ...]:
        """How a deployment ended on those of its instances on which it has."""
        ...
