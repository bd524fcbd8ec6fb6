"""An execution's history as Step Functions tells it: the states entered, the commands sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiln.adapters._errors import translated

Event = dict[str, Any]


@dataclass(frozen=True)
class Execution:
    """A bake's execution: `ended` is None while it runs."""

    status: str
    began: datetime
    ended: datetime | None
    error: str | None
    cause: str | None


@dataclass
class Span:
    """A state from entry to exit, in seconds since the execution began."""

    name: str
    entered_s: float
    exited_s: float | None = None


def describe(stepfunctions: Any, arn: str) -> Execution:
    """How an execution stands."""
    with translated("states", "DescribeExecution"):
        found = stepfunctions.describe_execution(executionArn=arn)
    return Execution(
        status=found["status"],
        began=found["startDate"],
        ended=found.get("stopDate"),
        error=found.get("error"),
        cause=found.get("cause"),
    )


def events(stepfunctions: Any, arn: str) -> list[Event]:
    """All events, oldest first."""
    with translated("states", "GetExecutionHistory"):
        pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]


def spans(found: Iterable[Event], execution: Execution) -> list[Span]:
    """The states in the order of their entry; the last of an ended execution ends with it."""
    result: list[Span] = []
    for event in found:
        at = _since(execution.began, event["timestamp"])
        if event["type"].endswith("StateEntered"):
            result.append(Span(event["stateEnteredEventDetails"]["name"], at))
        elif event["type"].endswith("StateExited"):
            _leave(result, event["stateExitedEventDetails"]["name"], at)
    if execution.ended:
        for span in result:
            if span.exited_s is None:
                span.exited_s = _since(execution.began, execution.ended)
    return result


def _leave(entered: list[Span], name: str, at: float) -> None:
    for span in reversed(entered):
        if span.name == name and span.exited_s is None:
            span.exited_s = at
            return


def _since(began: datetime, moment: datetime) -> float:
    return max(0.0, round((moment - began).total_seconds(), 3))


def transitions(found: Iterable[Event]) -> int:
    """The transitions that AWS charges for: states entered, and each retry (Step Functions
    pricing)."""
    types = Counter(event["type"] for event in found)
    entered = sum(n for name, n in types.items() if name.endswith("StateEntered"))
    return entered + max(0, calls(types) - types["TaskStateEntered"])


def calls(types: Mapping[str, int]) -> int:
    """How often a state machine called a function, by how many events of each type there are."""
    return types.get("TaskScheduled", 0) + types.get("LambdaFunctionScheduled", 0)


def skipped(found: Iterable[Event]) -> dict[str, Any] | None:
    """What PlanBake answered of a bake that makes nothing."""
    answers = (_answer(event) for event in found)
    return next((a["skipped"] for a in answers if a.get("verdict") == "skip"), None)


def sent_commands(found: Iterable[Event]) -> list[dict[str, Any]]:
    """What RunStep answered: command, instance, purpose and label of each command, in order."""
    sent: dict[str, dict[str, Any]] = {}
    for event in found:
        payload = _answer(event)
        if {"command", "instance", "purpose"} <= payload.keys():
            sent.setdefault(payload["command"], payload)
    return list(sent.values())


def _answer(event: Event) -> dict[str, Any]:
    details = event.get("taskSucceededEventDetails")
    return _payload(details["output"]) if details and "output" in details else {}


def judged(found: Iterable[Event]) -> dict[str, Any] | None:
    """What VerifyImage was asked: the commands that printed the builder's and the clone's facts."""
    for event in found:
        details = event.get("taskScheduledEventDetails")
        asked = _payload(details["parameters"]) if details else {}
        if isinstance(asked.get("builder"), dict) and isinstance(asked.get("clone"), dict):
            return asked
    return None


def _payload(text: str) -> dict[str, Any]:
    return next(_payloads(text), {})


def _payloads(text: str) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        return
    payload = found.get("Payload") if isinstance(found, dict) else None
    if isinstance(payload, dict):
        yield payload
