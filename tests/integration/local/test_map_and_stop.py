"""What else of the States Language the local AWS keeps: Map, a stopped execution, a time-out."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.integration.local.test_interpreter import INVOKE, WAIT, Bench, a_task, bench

__all__ = ["bench"]  # a fixture


def test_a_map_runs_its_states_for_every_item(bench: Bench) -> None:
    bench.function = lambda event: event["n"] * 2
    work = {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": "f", "Payload": {"n": "{% $states.input %}"}},
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }
    states = {
        "A": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemProcessor": {"StartAt": "W", "States": {"W": work}},
            "End": True,
        }
    }
    ended = bench.run(states, {"items": [1, 2, 3]})
    assert json.loads(ended["output"]) == [2, 4, 6]


def test_a_task_over_its_time_is_a_timeout(bench: Bench) -> None:
    states: dict[str, Any] = {
        "A": a_task({"t": "{% $states.context.Task.Token %}"}, WAIT, TimeoutSeconds=20),
        "Z": {"Type": "Succeed"},
    }
    before = bench.clock.seconds()
    assert bench.run(states)["error"] == "States.Timeout"
    assert bench.clock.seconds() - before >= 20


def test_an_execution_that_is_stopped_is_aborted(bench: Bench) -> None:
    waiting = {"A": {"Type": "Wait", "Seconds": 100000, "End": True}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": waiting}
    machine = bench.client.create_state_machine(
        name="stopped",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]
    execution = bench.client.start_execution(stateMachineArn=machine)["executionArn"]
    bench.client.stop_execution(executionArn=execution, error="Stopped", cause="enough")
    deadline = time.monotonic() + 10
    status = "RUNNING"
    while status == "RUNNING" and time.monotonic() < deadline:
        status = bench.client.describe_execution(executionArn=execution)["status"]
    assert status == "ABORTED"
