"""Executions of moto's state machines: started without a name, stopped at once, reported."""

from __future__ import annotations

import importlib
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult

from kiln_local.clock import SimClock
from kiln_local.patches import Patches

_PARSER = "moto.stepfunctions.parser"
_A_MOMENT_S = 0.001


def connect(patches: Patches, clock: SimClock, on_change: Any) -> Ends:
    """Patch the executions. `on_change(execution)` is called when one starts or ends."""
    _mend_starts(patches)
    _mend_timeouts(patches)
    _mend_answers(patches)
    ends = Ends(clock, on_change)
    ends.connect(patches)
    return ends


def _module(name: str) -> Any:
    return importlib.import_module(f"{_PARSER}.{name}")


def _mend_starts(patches: Patches) -> None:
    """moto cannot start an execution without a name twice."""
    backend = _module("models").StepFunctionsParserBackend
    start = backend.start_execution

    def start_execution(
        self: Any, arn: str, name: str | None = None, text: str | None = None, *rest: Any
    ) -> Any:
        return start(self, arn, name or str(uuid.uuid4()), text, *rest)

    patches.set(backend, "start_execution", start_execution)


def _mend_timeouts(patches: Patches) -> None:
    """moto gives every task 60 seconds.

    The States Language's document says 60; Step Functions itself waits 99999999 seconds (Step
    Functions Developer Guide, "Task workflow state", TimeoutSeconds).
    """
    timeout = _module("asl.component.common.timeouts.timeout").TimeoutSeconds
    eval_seconds = timeout._eval_seconds

    def seconds(self: Any, env: Any) -> int:
        if self.is_default_value():
            return int(timeout.DEFAULT_TIMEOUT_SECONDS)
        return int(eval_seconds(self, env))

    patches.set(timeout, "_eval_seconds", seconds)


def _mend_answers(patches: Patches) -> None:
    """moto does not say when an execution ended that has timed out."""
    responses = importlib.import_module("moto.stepfunctions.responses").StepFunctionResponse
    describe, listed = responses.describe_execution, responses.list_executions

    def describe_execution(request: Any) -> ActionResult:
        answer = describe(request)
        _add_end(request, answer.result)
        return answer

    def list_executions(request: Any) -> ActionResult:
        answer = listed(request)
        for row in answer.result["executions"]:
            _add_end(request, row)
        return answer

    patches.set(responses, "describe_execution", describe_execution)
    patches.set(responses, "list_executions", list_executions)


def _add_end(request: Any, told: dict[str, Any]) -> None:
    if told["status"] == "TIMED_OUT":
        execution = request.stepfunction_backend.describe_execution(told["executionArn"])
        told["stopDate"] = execution.stop_date


class Ends:
    """Every execution ends once: by itself, or by StopExecution.

    moto's own StopExecution loses an execution that has not begun, one about to wait and one that
    waits for a token, and drops error and cause. Here the execution is ABORTED when the call
    returns; what its threads still do no longer counts.
    """

    def __init__(self, clock: SimClock, on_change: Any) -> None:
        self._clock = clock
        self._on_change = on_change
        # Of ends and of what is told of them; it may be taken again by who has it.
        self._one = threading.RLock()
        self._under_way: dict[str, Any] = {}

    def execution(self, arn: str) -> Any:
        """One that is under way. KeyError for one that has ended."""
        return self._under_way[arn]

    @property
    def under_way(self) -> list[str]:
        """The executions that have not ended, by ARN."""
        with self._one:
            return list(self._under_way)

    def connect(self, patches: Patches) -> None:
        """Patch how executions begin and end."""
        execution = _module("backend.execution")
        worker = execution.BaseExecutionWorkerCommunication
        responses = importlib.import_module("moto.stepfunctions.responses").StepFunctionResponse
        environment = _module("asl.eval.environment").Environment
        manager = _module("asl.eval.event.event_manager").EventManager
        start, reflect = execution.Execution.start, worker._reflect_execution_status
        set_stop, add = environment.set_stop, manager.add_event

        def started(began: Any) -> None:
            # Told before it begins: it may end in less time than telling takes.
            began.exec_status = _module("api").ExecutionStatus.RUNNING
            with self._one:
                self._under_way[began.exec_arn] = began
            self._on_change(began)
            start(began)

        def stopped(env: Any, **told: Any) -> None:
            set_stop(env, **told)
            # Left set, for who begins to wait a moment later.
            env.program_state_event.set()

        def stop_execution(request: Any) -> ActionResult:
            return self._stop(request)

        def add_event(events: Any, *args: Any, **event: Any) -> Any:
            with self._one:
                return 0 if getattr(events, "closed", False) else add(events, *args, **event)

        patches.set(manager, "add_event", add_event)
        patches.set(execution.Execution, "start", started)
        patches.set(environment, "set_stop", stopped)
        patches.set(worker, "_reflect_execution_status", lambda told: self._end(told, reflect))
        patches.set(responses, "stop_execution", stop_execution)

    def _end(self, told: Any, reflect: Any) -> None:
        with self._one:
            if told.execution.stop_date is not None:
                return
            reflect(told)
            self._under_way.pop(told.execution.exec_arn, None)
        self._on_change(told.execution)

    def _stop(self, request: Any) -> ActionResult:
        arn, error, cause = (request._get_param(n) for n in ("executionArn", "error", "cause"))
        execution = request.stepfunction_backend.describe_execution(arn)
        self.abort(execution, error, cause)
        return ActionResult({"stopDate": execution.stop_date})

    def abort(self, execution: Any, error: str | None, cause: str | None) -> bool:
        """End an execution as StopExecution does; False for one that has ended."""

        def aborted() -> None:
            _end_as(execution, "ABORTED", self._clock, error, cause)
            env = execution.exec_worker.env
            env.set_stop(stop_date=execution.stop_date, error=error, cause=cause)

        return self._end_now(execution, aborted)

    def time_out(self, execution: Any) -> bool:
        """End one as its machine's TimeoutSeconds does; False for one that has ended."""

        def timed_out() -> None:
            _end_as(execution, "TIMED_OUT", self._clock, "States.Timeout", None)
            env = execution.exec_worker.env
            env.set_timed_out()
            # Left set, as above.
            env.program_state_event.set()

        return self._end_now(execution, timed_out)

    def _end_now(self, execution: Any, end: Callable[[], None]) -> bool:
        _begun(execution)
        with self._one:
            if execution.stop_date is not None:
                return False
            end()
            self._under_way.pop(execution.exec_arn, None)
            pool = execution.exec_worker.env.callback_pool_manager._pool
            for endpoint in list(pool.values()):
                endpoint.interrupt_all()
        self._on_change(execution)
        return True


def _begun(execution: Any) -> None:
    """Wait until an execution's thread has come to its first state."""
    while execution.stop_date is None:
        env = execution.exec_worker.env
        if env is not None and env.program_state() is not None:
            return
        time.sleep(_A_MOMENT_S)


_ENDS = {
    "ABORTED": ("ExecutionAborted", "executionAbortedEventDetails"),
    "TIMED_OUT": ("ExecutionTimedOut", "executionTimedOutEventDetails"),
}


def _end_as(
    execution: Any, status: str, clock: SimClock, error: str | None, cause: str | None
) -> None:
    """Its last status and the last event of its history."""
    api, details = _module("api"), _module("asl.eval.event.event_detail").EventDetails
    event, key = _ENDS[status]
    env = execution.exec_worker.env
    execution.stop_date = clock.now()
    execution.exec_status = api.ExecutionStatus[status]
    execution.error, execution.cause = error, cause
    told = getattr(api, f"{event}EventDetails")(error=error, cause=cause)
    env.event_history_context.source_event_id = 0
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=api.HistoryEventType[event],
        event_details=details(**{key: told}),
    )
    env.event_manager.closed = True
