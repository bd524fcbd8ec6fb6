"""Asynchronous invocation of functions, and what becomes of an event that is not taken.

Lambda tries a function that fails twice more, after one minute and after two (Lambda Developer
Guide, "Asynchronous invocation"), then sends a record to the function's on-failure destination
("Capturing records of Lambda asynchronous invocations"). A service that cannot hand an event to its
target at all sends it to the queue of its own configuration (EventBridge User Guide, "Using
dead-letter queues").
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from kiln_local.clock import SimClock

# Seconds before the second and before the third attempt.
_PAUSES = (60, 120)


class _Functions(Protocol):
    def names(self) -> list[str]: ...

    def invoke(self, name: str, event: Any) -> tuple[Any, bool]: ...


# Whether nobody waits for what this thread invokes.
unawaited: ContextVar[bool] = ContextVar("unawaited", default=False)

# The ARN of a queue, a body, and message attributes.
SendMessage = Callable[[str, str, dict[str, str]], None]


@dataclass
class Asynchronous:
    """What Lambda does with events that nobody waits for. `arn` makes one of a service and a
    resource; `destinations` are the on-failure destinations by function, ARNs of queues."""

    clock: SimClock
    functions: _Functions
    arn: Callable[[str, str], str]
    send_message: SendMessage
    destinations: dict[str, str] = field(default_factory=dict)
    # Whether Lambda may report to a destination, by a function's name and a queue's ARN.
    reports: Callable[[str, str], bool] = lambda *_: True

    def knows(self, name: str) -> bool:
        """Whether there is such a function."""
        return name in self.functions.names()

    def later(self, name: str, event: Any) -> None:
        """Take an event; the caller goes on."""
        self.clock.crew.start(lambda: self.invoke(name, event))

    def invoke(self, name: str, event: Any) -> None:
        """Call a function until it succeeds, three times at most."""
        attempts = 0
        for pause in (0, *_PAUSES):
            if pause:
                self.clock.sleep(pause)
            attempts += 1
            token = unawaited.set(True)
            result, failed = self.functions.invoke(name, event)
            unawaited.reset(token)
            if not failed:
                return
        destination = self.destinations.get(name)
        if destination and self.reports(name, destination):
            record = self._record(name, event, result, attempts)
            self.send_message(destination, json.dumps(record), {})

    def _record(self, name: str, event: Any, result: Any, attempts: int) -> dict[str, Any]:
        arn = self.arn("lambda", f"function:{name}:$LATEST")
        return {
            "version": "1.0",
            "timestamp": f"{self.clock.now():%Y-%m-%dT%H:%M:%S.000Z}",
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": arn,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": result,
        }


def undelivered(source: tuple[str, str], target: str, error: str, cause: str) -> dict[str, str]:
    """The message attributes of an event that a rule or a schedule could not hand over: `source`
    is RULE_ARN or SCHEDULE_ARN with its value."""
    name, arn = source
    return {
        name: arn,
        "TARGET_ARN": target,
        "ERROR_CODE": error,
        "ERROR_MESSAGE": cause,
        "RETRY_ATTEMPTS": "0",
    }


def sender(client: Callable[[str], Any]) -> SendMessage:
    """Sends messages to queues by their ARNs, with a client made when it is needed."""

    def send(arn: str, text: str, attributes: dict[str, str]) -> None:
        queues = client("sqs")
        url = queues.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        told = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        queues.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=told)

    return send
