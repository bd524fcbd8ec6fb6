"""Executions of moto's state machines: started without a name, stopped at once, reported."""

from __future__ import annotations

import importlib
import threading
import time
import uuid
from typing import Any

from moto.core.responses import ActionResult

from kiln_local.clock import SimClock
from kiln_local.patches import Patches

_PARSER = "moto.stepfunctions.parser"
_A_MOMENT_S = 0.001


def connect(patches: Patches, clock: SimClock, on_change: Any) -> None:
    """Patch the executions. `on_change(execution)` is called when one starts or ends."""
    _mend_starts(patches)
    _mend_timeouts(patches)
    Ends(clock, on_change).connect(patches)


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
        self._on_change(told.execution)

    def _stop(self, request: Any) -> ActionResult:
        arn, error, cause = (request._get_param(n) for n in ("executionArn", "error", "cause"))
        execution = request.stepfunction_backend.describe_execution(arn)
        _begun(execution)
        with self._one:
            ended = execution.stop_date is not None
            if not ended:
                _abort(execution, self._clock, error, cause)
        if not ended:
            self._on_change(execution)
        return ActionResult({"stopDate": execution.stop_date})


def _begun(execution: Any) -> None:
    """Wait until an execution's thread has come to its first state."""
    while execution.stop_date is None:
        env = execution.exec_worker.env
        if env is not None and env.program_state() is not None:
            return
        time.sleep(_A_MOMENT_S)


def _abort(execution: Any, clock: SimClock, error: str | None, cause: str | None) -> None:
    api, details = _module("api"), _module("asl.eval.event.event_detail").EventDetails
    env = execution.exec_worker.env
    execution.stop_date = clock.now()
    execution.exec_status = api.ExecutionStatus.ABORTED
    execution.error, execution.cause = error, cause
    aborted = api.ExecutionAbortedEventDetails(error=error, cause=cause)
    env.event_history_context.source_event_id = 0
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=api.HistoryEventType.ExecutionAborted,
        event_details=details(executionAbortedEventDetails=aborted),
    )
    env.event_manager.closed = True
    env.set_stop(stop_date=execution.stop_date, error=error, cause=cause)
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()
