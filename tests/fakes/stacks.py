"""Target groups and rounds of Configure, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from kiln.domain.configure import Ask, Round
from kiln.domain.deployment import Command, Deployment
from kiln.domain.healing import Ping
from kiln.domain.load import AlarmState, LoadStep
from kiln.errors import AwsRefused
from tests.builders import NOW


@dataclass
class FakeTraffic:
    """Target groups: what is registered, and how it is. `slow` ones drain until a test says."""

    targets: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    refusal: AwsRefused | None = None
    slow: bool = False

    def register(self, groups: Iterable[str], instance: str) -> None:
        for group in groups:
            if self.refusal:
                raise self.refusal
            self.targets[group, instance] = ("healthy", "")

    def deregister(self, groups: Iterable[str], instance: str) -> None:
        for group in groups:
            if self.refusal:
                raise self.refusal
            if self.slow and (group, instance) in self.targets:
                self.targets[group, instance] = ("draining", "Target.DeregistrationInProgress")
            else:
                self.targets.pop((group, instance), None)

    def health(self, group: str, instance: str) -> tuple[str, str]:
        return self.targets.get((group, instance), ("unused", "Target.NotRegistered"))


@dataclass
class FakeAlarms:
    """Alarms, each OK until a test says otherwise."""

    states: dict[str, str] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)

    def ringing(self, names: Iterable[str]) -> tuple[str, ...]:
        wanted = tuple(names)
        for name in wanted:
            if name not in self.states:
                raise AwsRefused("cloudwatch", "DescribeAlarms", "ResourceNotFound", name)
        return tuple(name for name in wanted if self.states[name] == "ALARM")

    def become(self, name: str, value: str, since: datetime) -> None:
        """Change an alarm's state."""
        self.states[name], self.since[name] = value, since

    def look_at(self, names: Iterable[str]) -> dict[str, AlarmState]:
        return {
            name: AlarmState(value=self.states[name], since=self.since.get(name, NOW))
            for name in names
            if name in self.states
        }


@dataclass
class FakeAgents:
    """Agents: those in `answering` answer; the others are silent since `heard` says."""

    answering: set[str] = field(default_factory=set)
    heard: dict[str, datetime] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def pings(self, instances: Iterable[str]) -> dict[str, Ping]:
        self.calls.append(tuple(instances))
        return {
            name: Ping(online=name in self.answering, heard=self.heard.get(name))
            for name in self.calls[-1]
            if name in self.answering or name in self.heard
        }


@dataclass
class FakeLoadSteps:
    """The last step of each layer."""

    steps: dict[str, LoadStep] = field(default_factory=dict)

    def last(self, layer: str) -> LoadStep | None:
        return self.steps.get(layer)

    def put(self, step: LoadStep) -> bool:
        last = self.steps.get(step.layer)
        if step.number != (last.number + 1 if last else 1):
            return False
        self.steps[step.layer] = step
        return True


@dataclass
class FakeRounds:
    """Rounds of Configure."""

    counts: dict[str, int] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    kept_asks: dict[tuple[str, int], Ask] = field(default_factory=dict)
    kept_rounds: dict[tuple[str, int], Round] = field(default_factory=dict)

    def next_number(self, stack: str) -> int:
        self.counts[stack] = self.counts.get(stack, 0) + 1
        return self.counts[stack]

    def asked(self, stack: str) -> int:
        return self.counts.get(stack, 0)

    def hold(self, stack: str, holder: str, instead_of: str | None = None) -> bool:
        if self.holders.get(stack, holder) not in (holder, instead_of):
            return False
        self.holders[stack] = holder
        return True

    def holder(self, stack: str) -> str | None:
        return self.holders.get(stack)

    def free(self, stack: str, holder: str, covered: int) -> bool:
        if self.holders.get(stack) != holder or self.asked(stack) != covered:
            return False
        del self.holders[stack]
        return True

    def put_ask(self, ask: Ask) -> None:
        self.kept_asks[ask.stack, ask.number] = ask

    def asks(self, stack: str) -> tuple[Ask, ...]:
        return tuple(self.kept_asks[key] for key in sorted(self.kept_asks) if key[0] == stack)

    def put_round(self, found: Round) -> None:
        self.kept_rounds[found.stack, found.number] = found

    def rounds(self, stack: str) -> tuple[Round, ...]:
        return tuple(self.kept_rounds[key] for key in sorted(self.kept_rounds) if key[0] == stack)


@dataclass
class FakeDeployments:
    """Lifecycle events run by hand."""

    kept: dict[tuple[str, str], Deployment] = field(default_factory=dict)
    results: dict[tuple[str, str, str], Command] = field(default_factory=dict)

    def put(self, deployment: Deployment) -> None:
        self.kept[deployment.stack, deployment.id] = deployment

    def get(self, stack: str, deployment: str) -> Deployment | None:
        return self.kept.get((stack, deployment))

    def all_of(self, stack: str) -> tuple[Deployment, ...]:
        found = (found for (name, _), found in self.kept.items() if name == stack)
        return tuple(sorted(found, key=lambda deployment: deployment.at))

    def put_command(self, stack: str, command: Command) -> None:
        self.results[stack, command.deployment, command.instance] = command

    def commands(self, stack: str, deployment: str) -> tuple[Command, ...]:
        keys = sorted(key for key in self.results if key[:2] == (stack, deployment))
        return tuple(self.results[key] for key in keys)
