"""What else of the States Language the local AWS keeps: Map, a stopped execution, a time-out."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

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


WAITS: dict[str, Any] = {"Type": "Wait", "Seconds": 100000, "End": True}
FOR_A_TOKEN = a_task({"t": "{% $states.context.Task.Token %}"}, WAIT) | {"End": True}
del FOR_A_TOKEN["Next"]
IN_A_MAP = {
    "Type": "Map",
    "Items": [1, 2],
    "ItemProcessor": {"StartAt": "W", "States": {"W": WAITS}},
    "End": True,
}


def started(bench: Bench, states: dict[str, Any]) -> str:
    """The ARN of an execution that has just been started."""
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states}
    machine = bench.client.create_state_machine(
        name=f"stopped-{len(bench.changes)}",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]
    return str(bench.client.start_execution(stateMachineArn=machine)["executionArn"])


@pytest.mark.parametrize("state", [WAITS, FOR_A_TOKEN, IN_A_MAP], ids=["wait", "token", "map"])
@pytest.mark.parametrize("running_s", [0, 0.2], ids=["just started", "waiting"])
def test_an_execution_that_is_stopped_is_aborted_at_once(
    bench: Bench, state: dict[str, Any], running_s: float
) -> None:
    execution = started(bench, {"A": state})
    time.sleep(running_s)
    stopped = bench.client.stop_execution(executionArn=execution, error="Stopped", cause="enough")
    told = bench.client.describe_execution(executionArn=execution)
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "Stopped", "enough")
    assert told["stopDate"] == stopped["stopDate"]
    last = bench.client.get_execution_history(executionArn=execution)["events"][-1]
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"error": "Stopped", "cause": "enough"}


@pytest.mark.parametrize("state", [WAITS, FOR_A_TOKEN, IN_A_MAP], ids=["wait", "token", "map"])
def test_an_execution_may_run_out_of_time_before_its_first_state(
    bench: Bench, state: dict[str, Any]
) -> None:
    def at_once() -> None:
        while not (found := bench.executions.under_way):
            time.sleep(0)
        bench.executions.time_out(bench.executions.execution(found[0]))

    with ThreadPoolExecutor() as others:
        waiting = others.submit(at_once)
        arn = started(bench, {"A": state})
        waiting.result(20)
    told = bench.client.describe_execution(executionArn=arn)
    assert (told["status"], told["error"]) == ("TIMED_OUT", "States.Timeout")


def test_what_a_stopped_execution_still_does_no_longer_counts(bench: Bench) -> None:
    bench.function = lambda event: event
    execution = started(bench, {"A": FOR_A_TOKEN})
    while not bench.calls:
        time.sleep(0.01)
    bench.client.stop_execution(executionArn=execution)
    (call,) = bench.calls
    with pytest.raises(bench.client.exceptions.TaskTimedOut):
        bench.client.send_task_success(taskToken=call["t"], output="{}")
    for thread in threading.enumerate():
        if type(thread).__name__ == "CrewThread":
            thread.join(5)
    assert bench.client.describe_execution(executionArn=execution)["status"] == "ABORTED"
    assert bench.changes == ["RUNNING", "ABORTED"]


def test_to_stop_what_has_ended_changes_nothing(bench: Bench) -> None:
    ended = bench.run({"A": {"Type": "Succeed"}})
    bench.client.stop_execution(executionArn=ended["executionArn"], error="late")
    again = bench.client.describe_execution(executionArn=ended["executionArn"])
    assert (again["status"], again["stopDate"]) == ("SUCCEEDED", ended["stopDate"])
    assert bench.changes == ["RUNNING", "SUCCEEDED"]
