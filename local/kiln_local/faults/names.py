"""What a fault may name: services and operations as botocore's models have them, the types of
events that the local AWS delivers, the functions, machines and states of a project. What is
unknown is answered with the nearest right name.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session

from kiln_local.fastyaml import load

if TYPE_CHECKING:
    from kiln_local.faults.model import Fault

ANY = "*"
# IAM and EventBridge have other names for these than botocore.
_ALSO = {"states": "stepfunctions", "eventbridge": "events", "elasticloadbalancing": "elbv2"}
# What the local AWS sends of itself (events.py, alarms.py, schedules.py, group_events.py).
EVENTS = frozenset(
    {
        "EC2 Instance State-change Notification",
        "EC2 AMI State Change",
        "EC2 Command Invocation Status-change Notification",
        "EC2 Command Status-change Notification",
        "Step Functions Execution Status Change",
        "Parameter Store Change",
        "CloudWatch Alarm State Change",
        "Scheduled Event",
        *(f"EC2 Instance-{way} Lifecycle Action" for way in ("launch", "terminate")),
        *(
            f"EC2 Instance {what}"
            for what in (
                *("Launch Successful", "Launch Unsuccessful"),
                *("Terminate Successful", "Terminate Unsuccessful"),
            )
        ),
        *(
            f"EC2 Auto Scaling Instance Refresh {what}"
            for what in (
                *("Started", "Succeeded", "Failed", "Cancelled", "Checkpoint Reached"),
                *("Rollback Started", "Rollback Succeeded", "Rollback Failed", "Started Baking"),
            )
        ),
    }
)

# What a word in a fault's `error` stands for, by service; "" is everybody else's. EC2: "Error codes
# for the Amazon EC2 API"; S3: "Error responses"; the others: their models' exceptions, and "Common
# errors" of their API references.
WORDS: dict[str, dict[str, str]] = {
    "throttling": {
        "ec2": "RequestLimitExceeded",
        "dynamodb": "ProvisionedThroughputExceededException",
        "lambda": "TooManyRequestsException",
        "s3": "SlowDown",
        "query": "Throttling",
        "": "ThrottlingException",
    },
    "internal": {
        "ec2": "InternalError",
        "s3": "InternalError",
        "dynamodb": "InternalServerError",
        "ssm": "InternalServerError",
        "events": "InternalException",
        "lambda": "ServiceException",
        "query": "InternalFailure",
        "": "InternalFailure",
    },
    "denied": {
        "ec2": "UnauthorizedOperation",
        "s3": "AccessDenied",
        "query": "AccessDenied",
        "": "AccessDeniedException",
    },
    "capacity": {"ec2": "InsufficientInstanceCapacity"},
}


def is_event(service: str, operation: str) -> bool:
    """Whether a fault of EventBridge is one of an event, by its detail type, and not of a call."""
    if service_of(service) != "events":
        return False
    return operation != ANY and operation not in model_of("events").operation_names


def service_of(name: str) -> str:
    """botocore's name of a service."""
    return _ALSO.get(name, name)


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def model_of(service: str) -> Any:
    """botocore's model of a service."""
    return _session().get_service_model(service_of(service))


def check_operation(service: str, operation: str) -> None:
    """ValueError for a service or an operation that there is not."""
    services = _session().get_available_services()
    if service_of(service) not in services:
        raise ValueError(f"service: {unknown('AWS', 'service', service, services)}")
    operations = {*model_of(service).operation_names, ANY}
    # A detail type is anybody's word; a project's own list says more (Project.check).
    if operation not in operations and not is_event(service, operation):
        raise ValueError(f"operation: {unknown(service, 'operation', operation, operations)}")


def code_of(service: str, word: str) -> str:
    """The code by which a service says what a word stands for; any other code as it is."""
    if word not in WORDS:
        return word
    meanings, name = WORDS[word], service_of(service)
    protocol = model_of(service).resolved_protocol
    return meanings.get(name) or meanings.get(protocol) or meanings.get("", "")


def check_word(service: str, code: str) -> None:
    """ValueError for a word that stands for nothing: AWS's own codes have capitals or digits."""
    if code.isalpha() and code.islower() and not code_of(service, code if code in WORDS else ""):
        known = [word for word in WORDS if code_of(service, word)]
        raise ValueError(f"error: {unknown(service, 'word', code, known)}")


def unknown(of: str, what: str, name: str, known: Collection[str]) -> str:
    """One line for a name that is not known, with the nearest that is."""
    plain = {one.lower(): one for one in sorted(known)}
    near = get_close_matches(name.lower(), plain, n=1, cutoff=0.5)
    hint = f"; did you mean {plain[near[0]]}?" if near else ""
    if not near and len(known) <= 12:
        hint = f"; known: {', '.join(sorted(known))}"
    return f"{of} has no {what} {name!r}{hint}"


class Project:
    """The functions, machines and states of a project's folder."""

    def __init__(self, folder: Path) -> None:
        self.functions = {path.parent.name for path in (folder / "functions").glob("*/app.py")}
        # An event of Kiln's has a schema, named after its detail type.
        schemas = (path.stem for path in (folder / "schemas" / "events").glob("*.json"))
        self.events = EVENTS | {stem.replace("-", " ").title() for stem in schemas}
        self.states = {
            path.name.partition(".")[0]: set(_states(load(path.read_text())))
            for path in (folder / "statemachine").glob("*.asl.yaml")
        }

    def check(self, fault: Fault) -> None:
        """ValueError for a name that the project does not have."""
        when = fault.when
        if fault.kind == "event" and fault.operation not in self.events:
            # Somebody who misspells a call gets here too.
            known = {*self.events, *model_of("events").operation_names}
            raise ValueError(
                f"operation: {unknown('events', 'event or call', str(fault.operation), known)}"
            )
        if fault.function and fault.function not in self.functions:
            raise ValueError(
                f"function: {unknown('the project', 'function', fault.function, self.functions)}"
            )
        if when.machine and when.machine not in self.states:
            raise ValueError(
                f"when.machine: {unknown('the project', 'machine', when.machine, self.states)}"
            )
        states = self.states[when.machine] if when.machine else set().union(*self.states.values())
        if when.state and when.state not in states:
            of = when.machine or "the project"
            raise ValueError(f"when.state: {unknown(of, 'state', when.state, states)}")


def _states(definition: Any) -> list[str]:
    """Every state of a definition, those of branches and maps too."""
    if isinstance(definition, list):
        return [name for part in definition for name in _states(part)]
    if not isinstance(definition, dict):
        return []
    own = list(definition["States"]) if isinstance(definition.get("States"), dict) else []
    return own + [name for part in definition.values() for name in _states(part)]
