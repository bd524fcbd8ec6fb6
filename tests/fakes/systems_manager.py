"""Systems Manager, in memory: commands and parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CommandFacts, CommandOrder, StepResult


@dataclass
class FakeCommands:
    """Run Command. A test says how a command ended with `end`."""

    agents: set[str] = field(default_factory=set)
    sent: dict[str, CommandOrder] = field(default_factory=dict)
    ended: dict[str, tuple[str, tuple[StepResult, ...]]] = field(default_factory=dict)
    refusal: AwsRefused | None = None

    def online(self, instance: str) -> bool:
        return instance in self.agents

    def send(self, order: CommandOrder) -> str:
        if self.refusal:
            raise self.refusal
        identifier = f"command-{len(self.sent) + 1}"
        self.sent[identifier] = order
        return identifier

    def find(self, instance: str, comment: str) -> str | None:
        for identifier, order in self.sent.items():
            if (order.instance, order.comment) == (instance, comment):
                return identifier
        return None

    def end(self, command: str, status: str, *steps: StepResult) -> None:
        """Let a command end."""
        self.ended[command] = (status, steps)

    def look(self, command: str, instance: str) -> CommandFacts | None:
        if command not in self.ended:
            return CommandFacts("InProgress", "", ()) if command in self.sent else None
        status, steps = self.ended[command]
        return CommandFacts(status, status, steps)

    def output(self, command: str, instance: str, step: str) -> StepResult:
        if command not in self.ended:
            raise AwsBusy(f"command {command} is not known on {instance} yet")
        found = next((found for found in self.ended[command][1] if found.name == step), None)
        if found is None:
            raise AwsRefused("ssm", "GetCommandInvocation", "InvalidPluginName", step)
        return found


@dataclass
class FakeParameters:
    """Parameter Store. With `lazy`, a pointer shows its new value only when it is read again."""

    values: dict[str, str] = field(default_factory=dict)
    lazy: bool = False

    def read(self, name: str) -> str | None:
        return self.values.get(name)

    def read_all(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.values[name] for name in names if name in self.values}

    def point(self, name: str, image: str) -> None:
        if not self.lazy:
            self.values[name] = image
