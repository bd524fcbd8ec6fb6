"""moto's Step Functions as the local AWS mends it: what Kiln uses of the States Language."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kiln_local import interpreter
from kiln_local.clock import SimClock
from kiln_local.executions import Ends
from kiln_local.patches import Patches


class Bench:
    """A Step Functions in which a function is a Python function."""

    executions: Ends

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.client = boto3.client("stepfunctions", region_name="eu-west-1")
        self.ended = threading.Event()
        self.calls: list[Any] = []
        self.changes: list[str] = []
        self.function: Any = lambda event: event

    def changed(self, execution: Any) -> None:
        """What the interpreter reports."""
        self.changes.append(str(execution.exec_status.value))
        if execution.stop_date:
            self.ended.set()

    def run(self, states: dict[str, Any], given: Any = None, **machine: Any) -> dict[str, Any]:
        """Run a machine to its end; DescribeExecution's answer."""
        definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states, **machine}
        arn = self.client.create_state_machine(
            name=f"m{len(self.calls)}-{id(states)}",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::123456789012:role/r",
        )["stateMachineArn"]
        started = self.client.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))
        assert self.ended.wait(20)
        return dict(self.client.describe_execution(executionArn=started["executionArn"]))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A fresh interpreter, sped up, whose Lambda calls the bench's function."""
    patches, clock = Patches(), SimClock(200)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):  # type: ignore[typeddict-item]
        from moto.awslambda.models import LambdaBackend

        bench = Bench(clock)

        def invoke(self: Any, name: str, qualifier: Any, body: Any, *headers: Any) -> bytes:
            event = json.loads(body)
            bench.calls.append(event)
            try:
                return json.dumps(bench.function(event)).encode()
            except RuntimeError as error:
                headers[1]["x-amz-function-error"] = "Unhandled"
                found = {"errorMessage": error.args[0], "errorType": error.args[1]}
                return json.dumps(found).encode()

        patches.set(LambdaBackend, "invoke", invoke)
        bench.executions = interpreter.connect(patches, clock, "eu-west-1", bench.changed)
        yield bench
        patches.undo()
        clock.end()


INVOKE = "arn:aws:states:::lambda:invoke"
WAIT = f"{INVOKE}.waitForTaskToken"
END = {"Type": "Succeed", "Output": "{% $kept %}"}


def a_task(payload: Any, resource: str = INVOKE, **more: Any) -> dict[str, Any]:
    """A task that invokes the function."""
    arguments = {"FunctionName": "f", "Payload": payload}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Next": "Z", **more}


def test_values_with_quotes_pass_through_variables_and_arguments(bench: Bench) -> None:
    text = 'a "quote" \\ {{ x }} $(id)\n'
    states = {
        "A": a_task("{% $states.input %}", Assign={"kept": "{% $states.result.Payload %}"}),
        "Z": END,
    }
    assert json.loads(bench.run(states, {"t": text})["output"]) == {"t": text}
    assert bench.calls == [{"t": text}]


def test_an_error_is_named_by_its_class_and_caught_with_its_cause(bench: Bench) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("no room", "NoCapacity")

    bench.function = fail
    catch = {
        "ErrorEquals": ["NoCapacity"],
        "Assign": {"kept": "{% $states.errorOutput %}"},
        "Next": "Z",
    }
    output = json.loads(bench.run({"A": a_task({}, Catch=[catch]), "Z": END})["output"])
    assert output["Error"] == "NoCapacity"
    assert json.loads(output["Cause"])["errorMessage"] == "no room"


def test_a_fail_state_ends_in_the_error_and_cause_of_variables(bench: Bench) -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"e": "{% $states.input %}"}, "Next": "B"},
        "B": {"Type": "Fail", "Error": "{% $e.error %}", "Cause": "{% $e.cause %}"},
    }
    ended = bench.run(states, {"error": "E", "cause": 'be"cause'})
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "E", 'be"cause')


def test_an_undefined_result_is_a_query_evaluation_error(bench: Bench) -> None:
    ended = bench.run({"A": a_task("{% $states.input.nope %}"), "Z": {"Type": "Succeed"}})
    assert ended["error"] == "States.QueryEvaluationError"


def test_a_choice_follows_a_condition(bench: Bench) -> None:
    choice = {"Condition": "{% $states.input.n < 2 %}", "Next": "Z"}
    states = {
        "A": {"Type": "Choice", "Choices": [choice], "Default": "B"},
        "B": {"Type": "Fail", "Error": "TooMany"},
        "Z": {"Type": "Succeed"},
    }
    assert bench.run(states, {"n": 1})["status"] == "SUCCEEDED"


TOKEN = {"token": "{% $states.context.Task.Token %}", "name": "{% $states.context.State.Name %}"}
RETRY = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 100}]


def test_an_answer_from_inside_the_function_ends_the_wait_at_once(bench: Bench) -> None:
    def answer(event: Any) -> None:
        bench.client.send_task_success(taskToken=event["token"], output='{"done": true}')

    bench.function = answer
    assign = {"kept": "{% $states.result.done %}"}
    states = {"A": a_task(TOKEN, WAIT, HeartbeatSeconds=600, Retry=RETRY, Assign=assign), "Z": END}
    assert json.loads(bench.run(states)["output"]) is True
    assert [call["name"] for call in bench.calls] == ["A"]


def test_a_heartbeat_that_runs_out_looks_again_with_a_token_of_its_own(bench: Bench) -> None:
    stale: list[str] = []

    def third_time(event: Any) -> None:
        if len(bench.calls) == 3:
            with pytest.raises(bench.client.exceptions.ClientError):
                bench.client.send_task_success(taskToken=stale[0], output="{}")
            bench.client.send_task_success(taskToken=event["token"], output='{"n": 3}')
        stale.append(event["token"])

    bench.function = third_time
    assign = {"kept": "{% $states.result.n %}"}
    states = {"A": a_task(TOKEN, WAIT, HeartbeatSeconds=5, Retry=RETRY, Assign=assign), "Z": END}
    assert json.loads(bench.run(states)["output"]) == 3
    assert len({call["token"] for call in bench.calls}) == 3


def test_a_failed_callback_keeps_its_cause(bench: Bench) -> None:
    def fail(event: Any) -> None:
        bench.client.send_task_failure(taskToken=event["token"], error="StepFailed", cause="exit 3")

    bench.function = fail
    ended = bench.run({"A": a_task(TOKEN, WAIT, HeartbeatSeconds=600), "Z": {"Type": "Succeed"}})
    assert (ended["error"], ended["cause"]) == ("StepFailed", "exit 3")


def test_a_wait_and_a_parallel_state_take_simulated_time(bench: Bench) -> None:
    branch = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    states = {
        "A": {"Type": "Parallel", "Branches": [branch, branch], "Next": "Z"},
        "Z": {"Type": "Succeed"},
    }
    before = bench.clock.seconds()
    assert bench.run(states)["status"] == "SUCCEEDED"
    assert bench.clock.seconds() - before >= 60
