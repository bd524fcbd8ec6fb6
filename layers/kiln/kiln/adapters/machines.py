"""Step Functions: waiting tasks, and executions of our state machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused, TokenGone
from kiln.ports import ExecutionFacts, Machine

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ENDED = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
# Step Functions API: SensitiveError and SensitiveCause.
_LONGEST_ERROR, _LONGEST_CAUSE = 256, 32_768


class StepFunctionsMachines:
    """`Machines` on Step Functions."""

    def __init__(self, stepfunctions: SFNClient, arns: dict[Machine, str]) -> None:
        self._stepfunctions = stepfunctions
        self._arns = arns

    def succeed(self, token: str, output: dict[str, Any]) -> None:
        """End a waiting task well."""
        try:
            with translated("states", "SendTaskSuccess"):
                self._stepfunctions.send_task_success(taskToken=token, output=json.dumps(output))
        except AwsRefused as error:
            raise _gone(error) from error

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a waiting task badly."""
        try:
            with translated("states", "SendTaskFailure"):
                self._stepfunctions.send_task_failure(
                    taskToken=token, error=error[:_LONGEST_ERROR], cause=cause[:_LONGEST_CAUSE]
                )
        except AwsRefused as refused:
            raise _gone(refused) from refused

    def running(self, machine: Machine, name: str) -> bool:
        """Whether an execution of that name runs."""
        found = self.look(machine, name)
        return found is not None and found.status == "RUNNING"

    def look(self, machine: Machine, name: str) -> ExecutionFacts | None:
        """How an execution stands."""
        # arn:aws:states:<region>:<account>:stateMachine:<machine> has the executions
        # arn:aws:states:<region>:<account>:execution:<machine>:<name>.
        arn = f"{self._arns[machine].replace(':stateMachine:', ':execution:')}:{name}"
        try:
            with translated("states", "DescribeExecution"):
                answer = self._stepfunctions.describe_execution(executionArn=arn)
        except AwsRefused as error:
            if error.code == "ExecutionDoesNotExist":
                return None
            raise
        return ExecutionFacts(
            status=answer["status"],
            error=answer.get("error", ""),
            cause=answer.get("cause", ""),
            given=_given(answer.get("input", "")),
        )

    def start(self, machine: Machine, name: str, payload: dict[str, Any]) -> bool:
        """Start an execution. The same name and input answer with the one that runs."""
        try:
            with translated("states", "StartExecution"):
                self._stepfunctions.start_execution(
                    stateMachineArn=self._arns[machine],
                    name=name,
                    input=json.dumps(payload, sort_keys=True),
                )
        except AwsRefused as error:
            if error.code == "ExecutionAlreadyExists":
                return False
            raise
        return True


def _given(text: str) -> dict[str, Any]:
    """An input as a mapping; the console lets a user give anything that is JSON."""
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def _gone(error: AwsRefused) -> Exception:
    return TokenGone(str(error)) if error.code in _ENDED else error
