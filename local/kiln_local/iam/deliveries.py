"""What AWS's own services may do for the account: EventBridge and Scheduler hand events to targets,
Lambda reports failures with its function's role, Step Functions writes a machine's log with its
role.

Sources: EventBridge User Guide, "Resource-based policies" and "Using IAM roles for EventBridge";
Scheduler User Guide, "Setting up the execution role"; Step Functions Developer Guide, "Logging in
CloudWatch Logs" (what the role of a machine that logs needs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln_local.iam.calls import Call
from kiln_local.iam.enforcement import Enforcement
from kiln_local.iam.evaluation import Policies, decide, trusted
from kiln_local.iam.ledger import Refusal, Use
from kiln_local.iam.patterns import Value
from kiln_local.iam.principals import identity, of_resource, role_of, session
from kiln_local.iam.statements import Check, Principal
from kiln_local.template import TemplateError

if TYPE_CHECKING:
    from kiln_local.events import AwsEvents
    from kiln_local.makers import Stack

_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sqs": "sqs:SendMessage",
}
_LOG_ACTIONS = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
    *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)


@dataclass(frozen=True)
class Deliveries:
    """Asked before a service of AWS acts for a rule, a schedule, a function or a machine; `callers`
    are the names that functions call under, by their own."""

    enforcement: Enforcement
    callers: Mapping[str, str] = field(default_factory=dict)

    def refuses(self, target: dict[str, Any], source: tuple[str, str]) -> str:
        """Why a target, or a queue of dead letters, gets nothing; '' where it does. `source` is
        RULE_ARN or SCHEDULE_ARN with its value. A target with a role is reached by it, one without
        by its own policy."""
        action = _ACTIONS.get(target["Arn"].split(":")[2])
        if action is None or not self.enforcement.active:
            return ""
        service = "events.amazonaws.com" if source[0] == "RULE_ARN" else "scheduler.amazonaws.com"
        check = Check(action, target["Arn"], self._keys(service, _named_by(source[1])))
        role = target.get("RoleArn")
        return self._by_role(role, service, check) if role else self._by_policy(service, check)

    def _keys(self, service: str, source: str) -> dict[str, Value]:
        return {
            "aws:sourcearn": source,
            "aws:sourceaccount": self.enforcement.account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": service,
        }

    def _by_policy(self, service: str, check: Check) -> str:
        theirs, account = of_resource(check.resource, self.enforcement.region)
        who = Principal(service, service=service)
        made = decide(check, Policies(who, [], theirs, account))
        return self._noted(service, check, made.allowed, made.why)

    def _by_role(self, arn: str, service: str, check: Check) -> str:
        role = role_of(arn)
        theirs, account = of_resource(arn, self.enforcement.region)
        assumes = Check("sts:AssumeRole", arn, check.keys)
        lent = trusted(assumes, Policies(Principal(service, service=service), [], theirs, account))
        if role is None or not lent.allowed:
            return self._noted(service, assumes, False, lent.why)
        who = session(arn, service.partition(".")[0])
        theirs, account = of_resource(check.resource, self.enforcement.region)
        made = decide(check, Policies(who, identity(role), theirs, account))
        if made.allowed:
            self.enforcement.ledger.allow(Use(role.name, check.action, check, made.grants))
        return self._noted(who.arn, check, made.allowed, made.why)

    def _noted(self, who: str, check: Check, allowed: bool, why: str) -> str:
        if allowed:
            return ""
        text = f"{who} is not authorized to perform: {check.action} on {check.resource} {why}"
        self.enforcement.ledger.refuse(Refusal(who, check.action, text))
        return text

    def reports(self, function: str, queue: str) -> bool:
        """Whether Lambda may send a record of a function's failure to a queue."""
        call = self._call("sqs", "SendMessage", {"QueueUrl": f"/{queue.rpartition(':')[2]}"})
        return not self.enforcement.refuses(self.callers.get(function, function), call)

    def check_logs(self, machines: Iterable[str]) -> None:
        """Raise TemplateError for a machine that logs and whose role may not."""
        for machine in machines:
            for action in _LOG_ACTIONS:
                text = self.enforcement.refuses(machine, self._call("logs", action, {}))
                if text:
                    raise TemplateError(
                        "The state machine IAM Role is not authorized to access the Log "
                        f"Destination: {text}"
                    )

    def _call(self, prefix: str, operation: str, params: dict[str, Any]) -> Call:
        own = self.enforcement
        return Call(prefix, operation, params, own.region, own.account)


def _named_by(source: str) -> str:
    """The ARN that a service calls itself by: a rule's own, of a schedule its group's (Scheduler
    User Guide, "Confused deputy prevention")."""
    if ":schedule/" not in source:
        return source
    return source.rpartition("/")[0].replace(":schedule/", ":schedule-group/")


def connect(enforcement: Enforcement, stack: Stack, events: AwsEvents) -> Deliveries:
    """Let the stack's functions and machines have their roles, and its rules and schedules be
    asked. Raises TemplateError for a machine that may not write its log."""
    enforcement.roles = stack.roles
    callers = {name: Path(given["Path"]).name for name, given in stack.functions.items()}
    allowed = Deliveries(enforcement, callers)
    allowed.check_logs(stack.logging)
    events.refuses = allowed.refuses
    return allowed
