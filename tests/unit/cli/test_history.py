from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from kiln_cli.history import Execution, judged, sent_commands, spans

BEGAN = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


def entered(name: str, at: float, kind: str = "Task") -> dict[str, Any]:
    return {
        "type": f"{kind}StateEntered",
        "timestamp": BEGAN + timedelta(seconds=at),
        "stateEnteredEventDetails": {"name": name},
    }


def left(name: str, at: float, kind: str = "Task") -> dict[str, Any]:
    return {
        "type": f"{kind}StateExited",
        "timestamp": BEGAN + timedelta(seconds=at),
        "stateExitedEventDetails": {"name": name},
    }


def answered(payload: object) -> dict[str, Any]:
    return {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": json.dumps(payload)}}


def an_execution(ended: float | None = 9.0, status: str = "FAILED") -> Execution:
    return Execution(
        status, BEGAN, None if ended is None else BEGAN + timedelta(seconds=ended), None, None
    )


def rows(events: list[dict[str, Any]], execution: Execution) -> list[tuple[str, float, Any]]:
    return [(s.name, s.entered_s, s.exited_s) for s in spans(events, execution)]


def test_a_state_entered_twice_is_there_twice_in_order() -> None:
    events = [
        *(entered("NextStep", 0, "Choice"), left("NextStep", 1, "Choice")),
        *(entered("Customize", 1), left("Customize", 2.5)),
        *(entered("NextStep", 2.5, "Choice"), left("NextStep", 3, "Choice")),
    ]
    assert rows(events, an_execution()) == [
        ("NextStep", 0, 1),
        ("Customize", 1, 2.5),
        ("NextStep", 2.5, 3),
    ]


def test_the_state_that_an_execution_ends_in_ends_with_it() -> None:
    events = [entered("Teardown", 1), left("Teardown", 8), entered("BakeFailed", 8, "Fail")]
    assert rows(events, an_execution(9))[-1] == ("BakeFailed", 8, 9)


def test_the_state_of_a_running_execution_has_not_ended() -> None:
    events = [entered("AwaitBuilder", 4)]
    assert rows(events, an_execution(None, "RUNNING")) == [("AwaitBuilder", 4, None)]


def test_commands_are_what_run_step_answered_once_each() -> None:
    sent = {"command": "c-1", "instance": "i-1", "purpose": "step", "label": "step 'a'"}
    awaited = {"command": "c-1", "instance": "i-1"}
    events = [answered({"Payload": sent}), answered({"Payload": awaited}), answered("done")]
    assert sent_commands([*events, answered({"Payload": sent})]) == [sent]


def test_the_judgement_names_both_commands() -> None:
    facts = {"builder": {"command": "c-1", "instance": "i-1"}, "clone": {"command": "c-2"}}
    asked = {"Payload": {"bake": "b", **facts}}
    launched = {"Payload": {"bake": "b", "role": "builder"}}
    events = [
        {"taskScheduledEventDetails": {"parameters": json.dumps(parameters)}}
        for parameters in (launched, asked)
    ]
    assert judged(events) == {"bake": "b", **facts}
    assert judged(events[:1]) is None
