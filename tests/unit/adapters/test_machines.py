"""What is asked of Step Functions, and which tokens have ended."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.adapters.machines import StepFunctionsMachines
from kiln.errors import AwsBusy, AwsRefused, TokenGone
from tests.builders import NOW
from tests.stubs import scripted

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:kiln-rollout"


def test_a_waiting_task_ends_with_its_output_or_its_error() -> None:
    with scripted("stepfunctions") as states:
        machines = StepFunctionsMachines(states.client, {"rollout": MACHINE})
        good = {"taskToken": "t", "output": '{"image": "ami-1"}'}
        states.answer("send_task_success", {}, good)
        machines.succeed("t", {"image": "ami-1"})
        bad: dict[str, Any] = {"taskToken": "t", "error": "StepFailed", "cause": "exited 3"}
        states.answer("send_task_failure", {}, bad)
        machines.fail("t", "StepFailed", "exited 3")


def test_a_cause_is_cut_to_what_step_functions_takes() -> None:
    """Step Functions API: SensitiveError 256, SensitiveCause 32,768 characters."""
    with scripted("stepfunctions") as states:
        request = {"taskToken": "t", "error": "E" * 256, "cause": "c" * 32_768}
        states.answer("send_task_failure", {}, request)
        machines = StepFunctionsMachines(states.client, {"rollout": MACHINE})
        machines.fail("t", "E" * 300, "c" * 40_000)


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_has_ended_meanwhile_is_told_apart(code: str) -> None:
    """Codes: Step Functions API, SendTaskSuccess and SendTaskFailure."""
    with scripted("stepfunctions") as states:
        machines = StepFunctionsMachines(states.client, {"rollout": MACHINE})
        states.refuse("send_task_success", code)
        states.refuse("send_task_failure", code)
        with pytest.raises(TokenGone, match=code):
            machines.succeed("t", {})
        with pytest.raises(TokenGone, match=code):
            machines.fail("t", "E", "c")


def test_an_output_that_is_refused_is_an_error() -> None:
    with scripted("stepfunctions") as states:
        states.refuse("send_task_success", "InvalidOutput")
        with pytest.raises(AwsRefused, match="InvalidOutput"):
            StepFunctionsMachines(states.client, {"rollout": MACHINE}).succeed("t", {})


def test_a_rollout_is_started_under_its_name_once() -> None:
    with scripted("stepfunctions") as states:
        machines = StepFunctionsMachines(states.client, {"rollout": MACHINE})
        payload = '{"image": "ami-1", "layer": "shop/web"}'
        request = {"stateMachineArn": MACHINE, "name": "ami-1-shop-web", "input": payload}
        answer = {"executionArn": "arn:x", "startDate": NOW}
        states.answer("start_execution", answer, request)
        states.refuse("start_execution", "ExecutionAlreadyExists")
        order = {"layer": "shop/web", "image": "ami-1"}
        assert machines.start("rollout", "ami-1-shop-web", order)
        assert not machines.start("rollout", "ami-1-shop-web", order)


@pytest.mark.parametrize(
    ("code", "error"),
    [("StateMachineDoesNotExist", AwsRefused), ("ExecutionLimitExceeded", AwsBusy)],
)
def test_a_rollout_that_cannot_be_started_is_an_error(code: str, error: type[Exception]) -> None:
    """Codes: Step Functions API, StartExecution."""
    with scripted("stepfunctions") as states:
        states.refuse("start_execution", code)
        with pytest.raises(error, match=code):
            StepFunctionsMachines(states.client, {"rollout": MACHINE}).start("rollout", "n", {})


def test_whether_an_execution_runs_is_asked_by_its_name() -> None:
    with scripted("stepfunctions") as states:
        machines = StepFunctionsMachines(states.client, {"rollout": MACHINE})
        arn = f"{MACHINE.replace('stateMachine', 'execution')}:r"
        common = {"executionArn": arn, "stateMachineArn": MACHINE, "startDate": NOW}
        states.answer("describe_execution", common | {"status": "RUNNING"}, {"executionArn": arn})
        states.answer("describe_execution", common | {"status": "ABORTED"})
        states.refuse("describe_execution", "ExecutionDoesNotExist")
        states.refuse("describe_execution", "InvalidArn")
        found = [machines.running("rollout", "r") for _ in range(3)]
        assert found == [True, False, False]
        with pytest.raises(AwsRefused, match="InvalidArn"):
            machines.running("rollout", "r")
