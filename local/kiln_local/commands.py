"""Run Command over time: a command is delivered to an instance's agent and really runs there.

What an agent that cannot be reached does not take, or does not report, has the status TimedOut and
the details DeliveryTimedOut once the command expires (Systems Manager API, "Command",
ExpiresAfter); until then it is Pending or InProgress.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from kiln_local.ec2 import Ec2
from kiln_local.machines import DocumentRun, RunOrder, StepRun

# Systems Manager API: what list and get calls return at most.
LISTED, STDOUT, STDERR = 2_500, 24_000, 8_000
_RUNNING = frozenset({"Pending", "InProgress"})


@dataclass
class Invocation:
    """One command on one instance."""

    instance: str
    status: str = "Pending"
    run: DocumentRun | None = None
    delivered: bool = False

    @property
    def details(self) -> str:
        """StatusDetails: more than the status where no agent was reached."""
        return "DeliveryTimedOut" if self.status == "TimedOut" and not self.run else self.status


@dataclass
class SentCommand:
    """One SendCommand call."""

    request: dict[str, Any]
    document: dict[str, Any]
    sent_at: str
    expires: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocations: dict[str, Invocation] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The whole command's status: the worst of its invocations, InProgress until all have
        ended."""
        found = {invocation.status for invocation in self.invocations.values()}
        if found & _RUNNING:
            return "InProgress" if found - {"Pending"} else "Pending"
        return next(
            (status for status in ("Failed", "TimedOut", "Cancelled") if status in found), "Success"
        )

    @property
    def details(self) -> str:
        """StatusDetails of the whole."""
        found = {i.details for i in self.invocations.values() if i.status == self.status}
        return found.pop() if len(found) == 1 else self.status

    def folder(self, instance: str, step: StepRun) -> str:
        """Where in S3 the agent puts what a step says."""
        prefix = self.request.get("OutputS3KeyPrefix", "").strip("/")
        plugin = step.plugin.replace(":", "")
        return f"{prefix}/{self.id}/{instance}/{plugin}/{step.name}".lstrip("/")

    def address(self, instance: str, step: StepRun | None, name: str) -> str:
        """The URL of one of its outputs; empty where it has none of its own."""
        bucket = self.request.get("OutputS3BucketName")
        if not bucket or step is None or not getattr(step, name):
            return ""
        return f"https://s3.amazonaws.com/{bucket}/{quote(self.folder(instance, step))}/{name}"

    def described(self) -> dict[str, Any]:
        """As ListCommands gives it."""
        names = ("DocumentName", "Comment", "OutputS3BucketName", "OutputS3KeyPrefix")
        return {name: self.request.get(name, "") for name in names} | {
            "CommandId": self.id,
            "Parameters": self.request.get("Parameters", {}),
            "InstanceIds": list(self.invocations),
            "RequestedDateTime": self.sent_at,
            "ExpiresAfter": self.expires.isoformat(),
            "Status": self.status,
            "StatusDetails": self.details,
            "TargetCount": len(self.invocations),
            "CompletedCount": sum(i.status not in _RUNNING for i in self.invocations.values()),
            "ErrorCount": sum(i.status == "Failed" for i in self.invocations.values()),
            "DeliveryTimedOutCount": sum(
                i.details == "DeliveryTimedOut" for i in self.invocations.values()
            ),
        }


class RunCommand:
    """All commands of one local AWS. `store` writes an object to S3: bucket, key, body."""

    def __init__(self, ec2: Ec2, store: Callable[[str, str, bytes], None]) -> None:
        self._ec2 = ec2
        self._store = store
        self.commands: dict[str, SentCommand] = {}

    def send(self, request: dict[str, Any], document: dict[str, Any]) -> SentCommand:
        """Send a document that has been checked to instances that are online."""
        now = self._ec2.clock.now()
        expires = now + timedelta(seconds=int(request.get("TimeoutSeconds", 3600)))
        command = SentCommand(request, document, now.isoformat(), expires)
        self.commands[command.id] = command
        for instance in request["InstanceIds"]:
            invocation = command.invocations[instance] = Invocation(instance)
            self._deliver(command, invocation)
        return command

    def _deliver(self, command: SentCommand, invocation: Invocation) -> None:
        delay = self._ec2.latencies.draw("command-delivered")
        machine = self._ec2.instance(invocation.instance)
        owner = self._ec2.owner(machine)
        interval = self._ec2.recorder.begin(owner, "command")

        def work() -> None:
            # The service knows the invocation from now on, whatever its agent does.
            invocation.delivered = True
            if not self._reached(command, invocation):
                invocation.status = "TimedOut"
            self._ec2.recorder.end(interval)
            self._tell(command, invocation, owner)

        self._ec2.clock.later(delay, work)

    def _reached(self, command: SentCommand, invocation: Invocation) -> bool:
        """Run a command if its agent takes it in time; whether it also told of the end in time."""
        agents, instance = self._ec2.agents, invocation.instance
        if not agents.reached(instance, command.expires):
            return False
        invocation.status = "InProgress"
        run = self._run(command, invocation)
        if not agents.reached(instance, command.expires):
            return False
        self._keep_output(command, instance, run)
        invocation.run, invocation.status = run, run.status
        return True

    def _run(self, command: SentCommand, invocation: Invocation) -> DocumentRun:
        machine = self._ec2.instance(invocation.instance)
        order = RunOrder(
            instance_id=invocation.instance,
            command_id=command.id,
            document_name=command.request["DocumentName"],
            document=command.document,
            parameters=command.request.get("Parameters", {}),
        )
        try:
            return self._ec2.room.run(order, lambda: self._ec2.reboot(machine))
        except KeyError:
            # The instance went away between SendCommand and the delivery.
            return DocumentRun("Failed", (), False, f"Undeliverable: {machine.id} is gone")

    def _tell(self, command: SentCommand, invocation: Invocation, owner: str) -> None:
        run = invocation.run
        steps = run.steps if run else ()
        self._ec2.recorder.commands.append(
            {
                "owner": owner,
                "document": command.request["DocumentName"],
                "instance": invocation.instance,
                "status": invocation.status,
                "ran": bool(run and run.ran),
                "why_not": run.why_not if run else None,
                "steps": [{"name": step.name, "exit_code": step.exit_code} for step in steps],
            }
        )
        self._ec2.events.command_changed(
            command.described(), invocation.instance, invocation.status
        )

    def _keep_output(self, command: SentCommand, instance: str, run: DocumentRun) -> None:
        bucket = command.request.get("OutputS3BucketName")
        for step in run.steps if bucket else ():
            folder = command.folder(instance, step)
            self._store(str(bucket), f"{folder}/stdout", step.stdout.encode())
            if step.stderr:
                self._store(str(bucket), f"{folder}/stderr", step.stderr.encode())


def listed(command: SentCommand, invocation: Invocation, details: bool) -> dict[str, Any]:
    """As ListCommandInvocations gives it."""
    found: dict[str, Any] = {
        "CommandId": command.id,
        "InstanceId": invocation.instance,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.request["DocumentName"],
        "RequestedDateTime": command.sent_at,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
    }
    if details:
        steps = invocation.run.steps if invocation.run else ()
        found["CommandPlugins"] = [_plugin(step) for step in steps]
    return found


def _plugin(step: StepRun) -> dict[str, Any]:
    output = step.stdout + (f"\n----------ERROR-------\n{step.stderr}" if step.stderr else "")
    return {
        "Name": step.name,
        "Status": step.status,
        "StatusDetails": step.status,
        "ResponseCode": step.exit_code,
        "Output": output[:LISTED],
    }


def got(command: SentCommand, invocation: Invocation, step: StepRun | None) -> dict[str, Any]:
    """As GetCommandInvocation gives it: one step, or the whole with the output of all."""
    steps = (invocation.run.steps if invocation.run else ()) if step is None else (step,)
    status = invocation.status if step is None else step.status
    fuller = invocation.details if step is None else step.status
    code = next((s.exit_code for s in steps if s.exit_code), 0) if invocation.run else -1
    return {
        "CommandId": command.id,
        "InstanceId": invocation.instance,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.request["DocumentName"],
        "PluginName": step.name if step else "",
        "ResponseCode": code,
        "Status": status,
        "StatusDetails": fuller,
        "StandardOutputContent": "".join(s.stdout for s in steps)[:STDOUT],
        "StandardErrorContent": "".join(s.stderr for s in steps)[:STDERR],
        "StandardOutputUrl": command.address(invocation.instance, step, "stdout"),
        "StandardErrorUrl": command.address(invocation.instance, step, "stderr"),
    }
