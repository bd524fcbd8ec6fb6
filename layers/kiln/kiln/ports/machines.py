"""Step Functions, as far as a step needs it. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Machine = Literal["bake", "rollout", "instance", "configure", "distribution"]


@dataclass(frozen=True)
class ExecutionFacts:
    """An execution: `status` as Step Functions names it (RUNNING, SUCCEEDED, FAILED, ...), and the
    input that it was given."""

    status: str
    error: str = ""
    cause: str = ""
    given: dict[str, Any] = field(default_factory=dict)


class Machines(Protocol):
    """Step Functions."""

    def succeed(self, token: str, output: dict[str, Any]) -> None:
        """End a waiting task well. TokenGone."""
        ...

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a waiting task badly. TokenGone."""
        ...

    def look(self, machine: Machine, name: str) -> ExecutionFacts | None:
        """How an execution stands, None where there is none of that name."""
        ...

    def running(self, machine: Machine, name: str) -> bool:
        """Whether an execution of that name runs."""
        ...

    def start(self, machine: Machine, name: str, payload: dict[str, Any]) -> bool:
        """Start an execution; False where one of that name has run with another input or has
        ended."""
        ...
