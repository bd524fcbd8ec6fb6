"""The events that AWS itself sends, and the delivery of all events to functions, machines and
queues.

Shapes: EC2 User Guide (instance and AMI state changes), Systems Manager User Guide (Run Command),
Step Functions Developer Guide (execution status).
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.events.models import EventsBackend, Rule

from kiln_local.asynchronous import Asynchronous, undelivered
from kiln_local.clock import SimClock
from kiln_local.inputs import target_input
from kiln_local.latencies import Latencies
from kiln_local.patches import Patches

# Services whose targets are served; a rule for another one is refused.
TARGETS = frozenset({"lambda", "states", "sqs"})
# Of what AWS has sent, as much is kept for tests and no more.
_KEPT = 10_000


class AwsEvents:
    """Sends and delivers; `lambdas` is set once there are functions. `copies` may swallow, double
    or delay an event on its way to a target: by its detail type and the target's ARN, how much
    later each copy arrives, in seconds."""

    def __init__(self, clock: SimClock, latencies: Latencies, account: str, region: str) -> None:
        self._clock = clock
        self._latencies = latencies
        self._account = account
        self._region = region
        self.lambdas: Asynchronous | None = None
        self.sent: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.backend: Any = None
        # Why a target gets nothing from a rule or schedule; '' where it does.
        self.refuses: Callable[[dict[str, Any], tuple[str, str]], str] = lambda *_: ""
        self.start_execution: Callable[[str, str], None] = lambda *_: None
        self.send_message: Callable[[str, str, dict[str, str]], None] = lambda *_: None
        self.copies: Callable[[str, str], list[float]] = lambda *_: [0.0]

    # ------------------------------------------------------------ AWS's own

    def instance_changed(self, instance: str, state: str, region: str = "") -> None:
        """EC2 Instance State-change Notification."""
        region = region or self._region
        arn = f"arn:aws:ec2:{region}:{self._account}:instance/{instance}"
        detail = {"instance-id": instance, "state": state}
        self.send("aws.ec2", "EC2 Instance State-change Notification", [arn], detail, region)

    def image_changed(self, image: str, state: str, error: str = "", region: str = "") -> None:
        """EC2 AMI State Change, in the Region that the image is in."""
        region = region or self._region
        arn = f"arn:aws:ec2:{region}::image/{image}"
        detail = {
            "RequestId": str(uuid.uuid4()),
            "ImageId": image,
            "State": state,
            "ErrorMessage": error,
        }
        self.send("aws.ec2", "EC2 AMI State Change", [arn], detail, region)

    def command_changed(self, command: dict[str, Any], instance: str, status: str) -> None:
        """EC2 Command Invocation Status-change and EC2 Command Status-change, in that order."""
        arn = f"arn:aws:ec2:{self._region}:{self._account}:instance/{instance}"
        common = {
            "command-id": command["CommandId"],
            "document-name": command["DocumentName"],
            "requested-date-time": command["RequestedDateTime"],
        }
        invocation = common | {"status": status, "instance-id": instance}
        self.send("aws.ssm", "EC2 Command Invocation Status-change Notification", [arn], invocation)
        if command["Status"] in ("Pending", "InProgress"):
            return
        whole = common | {
            "status": command["Status"],
            "expire-after": command["ExpiresAfter"],
            "parameters": command["Parameters"],
        }
        self.send("aws.ssm", "EC2 Command Status-change Notification", [], whole)

    def execution_changed(self, execution: Any) -> None:
        """Step Functions Execution Status Change."""
        detail = {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine_arn,
            "name": execution.name,
            "status": str(getattr(execution.exec_status, "value", execution.exec_status)),
            "startDate": int(execution.start_date.timestamp() * 1000),
            "stopDate": int(execution.stop_date.timestamp() * 1000)
            if execution.stop_date
            else None,
            "input": execution.execution_input,
            "inputDetails": {"included": True},
            "output": json.dumps(execution.output) if execution.output is not None else None,
            "error": execution.error,
            "cause": execution.cause,
        }
        self.send(
            "aws.states", "Step Functions Execution Status Change", [execution.exec_arn], detail
        )

    def parameter_changed(self, name: str, operation: str, data_type: str) -> None:
        """Parameter Store Change."""
        arn = f"arn:aws:ssm:{self._region}:{self._account}:parameter/{name.lstrip('/')}"
        detail = {"operation": operation, "name": name, "type": "String", "dataType": data_type}
        self.send("aws.ssm", "Parameter Store Change", [arn], detail)

    def send(
        self,
        source: str,
        detail_type: str,
        resources: list[str],
        detail: dict[str, Any],
        region: str = "",
    ) -> None:
        """Send an event of a service of AWS; the newest are kept in `sent`. One of another Region
        stays there, where no rule of the template listens."""
        event = self.envelope(source, detail_type, detail) | {"resources": resources}
        event["region"] = region or self._region
        self.sent.append(event)
        if event["region"] == self._region:
            self.deliver("default", event)

    def envelope(self, source: str, detail_type: str, detail: Any) -> dict[str, Any]:
        """An event of now, without resources."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._account,
            "time": f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
            "region": self._region,
            "resources": [],
            "detail": detail,
        }

    # ------------------------------------------------------------ delivery

    def put(self, entry: dict[str, Any]) -> None:
        """An event that a client has put."""
        event = self.envelope(entry["Source"], entry["DetailType"], json.loads(entry["Detail"]))
        event["resources"] = entry.get("Resources", [])
        bus = str(entry.get("EventBusName") or "default").rpartition("/")[2]
        self.deliver(bus, event)

    def deliver(self, bus: str, event: dict[str, Any]) -> None:
        """Hand an event to the targets of every rule of a bus that it matches."""
        if self.backend is None or bus not in self.backend.event_buses:
            return
        for rule in list(self.backend.event_buses[bus].rules.values()):
            # moto lets a rule without a pattern, one on a schedule, match everything.
            pattern = rule.event_pattern
            if rule.state == "ENABLED" and pattern.get_pattern() and pattern.matches_event(event):
                self.trigger(rule, event)

    def trigger(self, rule: Any, event: dict[str, Any]) -> None:
        """Hand an event to the targets of a rule."""
        for target in rule.targets:
            body = target_input(target, event)
            for late in self.copies(event["detail-type"], target["Arn"]):
                self.hand_over(target, body, ("RULE_ARN", rule.arn), late)

    def hand_over(
        self, target: dict[str, Any], body: Any, source: tuple[str, str], late: float = 0.0
    ) -> None:
        """Hand a target what it is to get, as soon as AWS does. `source` is what hands it over: the
        name of its attribute in a dead letter, and its ARN."""
        delay = self._latencies.draw("event-delivered") + late
        self._clock.later(delay, lambda: self._deliver_to(target, body, source))

    def _deliver_to(self, target: dict[str, Any], body: Any, source: tuple[str, str]) -> None:
        service, name = target["Arn"].split(":")[2], target["Arn"].split(":")[-1]
        refused = self.refuses(target, source)
        if refused:
            self._bury(target, body, source, ("NO_PERMISSIONS", refused))
        elif service == "lambda" and self.lambdas and self.lambdas.knows(name):
            self.lambdas.invoke(name, body)
        elif service == "lambda":
            self._bury(
                target, body, source, ("NO_RESOURCE", f"Function not found: {target['Arn']}")
            )
        elif service == "states":
            self._start(target, body, source)
        elif service == "sqs":
            self.send_message(target["Arn"], json.dumps(body), {})

    def _start(self, target: dict[str, Any], body: Any, source: tuple[str, str]) -> None:
        try:
            self.start_execution(target["Arn"], json.dumps(body))
        except ClientError as error:
            told = error.response["Error"]
            self._bury(target, body, source, (told["Code"], told["Message"]))

    def _bury(
        self, target: dict[str, Any], body: Any, source: tuple[str, str], why: tuple[str, str]
    ) -> None:
        """What could not be handed over, into the queue of the rule or schedule if it has one."""
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue and not self.refuses({**target, "Arn": queue}, source):
            self.send_message(queue, json.dumps(body), undelivered(source, target["Arn"], *why))


def connect(patches: Patches, events: AwsEvents) -> None:
    """Let PutEvents deliver here."""
    put = EventsBackend.put_events

    def put_events(self: Any, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = put(self, [{**entry} for entry in entries])
        for entry, result in zip(entries, results, strict=True):
            if "EventId" in result:
                events.put(entry)
        return results

    def no_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        """Targets are served by `deliver`."""

    patches.set(EventsBackend, "put_events", put_events)
    patches.set(Rule, "send_to_targets", no_targets)
