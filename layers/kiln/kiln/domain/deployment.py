"""A deployment: one lifecycle event, run by hand on instances of a stack.

OpsWorks's words: a deployment is what a user asks for, a command what becomes of it on one instance
(OpsWorks API, CreateDeployment, DescribeCommands).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from kiln.domain.model import Model
from kiln.domain.stack import CustomJson

# What a user may ask for. Shutdown goes with a stop alone.
ByHand = Literal["setup", "configure", "deploy", "undeploy"]


class CommandStatus(StrEnum):
    """What became of a deployment on one instance. SKIPPED: its state did not allow it, and nothing
    ran (CloudWatch Events User Guide, OpsWorks events)."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    SKIPPED = "skipped"


class Command(Model):
    """A deployment on one instance, by its own id; `log` is the end of what its recipes said."""

    deployment: str
    instance: str
    hostname: str
    status: CommandStatus
    error: str = ""
    cause: str = ""
    log: str = ""


class Deployment(Model):
    """One event on `instances`, by their own ids. `by` is who asked, `at` when (ISO 8601, UTC);
    its custom JSON has precedence over the layers' and the stack's."""

    id: str
    stack: str
    command: ByHand
    instances: tuple[str, ...]
    by: str
    at: str
    custom_json: CustomJson = {}

    def duration_s(self, now: datetime) -> int:
        """Whole seconds since it was asked for."""
        return max(0, int((now - datetime.fromisoformat(self.at)).total_seconds()))


def status_of(deployment: Deployment, commands: tuple[Command, ...]) -> str:
    """`running` until every instance has answered, then `successful` or `failed`."""
    if not set(deployment.instances) <= {command.instance for command in commands}:
        return "running"
    well = all(command.status is CommandStatus.SUCCESSFUL for command in commands)
    return "successful" if well else "failed"
