"""moto's Step Functions interpreter on simulated time, with JSONata, calling AWS under its
machine's name."""

from __future__ import annotations

import importlib
import pickle
import sys
from typing import Any

import boto3
import moto
from botocore.config import Config
from moto.core.exceptions import AWSError
from moto.core.responses import EmptyResult
from moto.stepfunctions.exceptions import InvalidToken

from kiln_local import executions, jsonata
from kiln_local.clock import SimClock, datetime_module, threading_module, time_module
from kiln_local.keeping import kept
from kiln_local.patches import Patches
from kiln_local.recorder import caller, machine_name
from kiln_local.scenes import scene, scene_of

_PARSER = "moto.stepfunctions.parser"
_TELL_TIME = (
    "models",
    "backend.execution",
    "asl.component.state.state",
    "asl.eval.event.event_manager",
)
_SLEEP = (
    "asl.component.common.retry.retrier_decl",
    "asl.component.state.wait.wait_function.wait_function",
)
# Modules that start threads or wait for events: by the module's name, and by names of their own.
_THREADS = (
    "asl.eval.environment",
    "asl.component.program.program",
    "asl.component.state.exec.execute_state",
    "asl.component.state.exec.state_map.iteration.inline_iteration_component",
    "asl.component.state.exec.state_map.iteration.job",
    "asl.component.state.exec.state_parallel.branch_worker",
    "asl.component.state.exec.state_parallel.branches_decl",
    "asl.component.state.exec.state_task.service.state_task_service_callback",
)
# What a definition means never changes, whichever local AWS asks.
_parsed: dict[str, bytes] = {}
_OWN_THREAD = ("backend.execution_worker", "asl.component.state.exec.execute_state")


def connect(patches: Patches, clock: SimClock, region: str, on_change: Any) -> executions.Ends:
    """Patch the interpreter; what ends executions. `on_change(execution)` is called when one starts
    or ends."""
    importlib.import_module(f"{_PARSER}.models")
    jsonata.connect(patches, clock)
    for name in _TELL_TIME:
        patches.set(_module(name), "datetime", datetime_module(clock))
    for name in _SLEEP:
        patches.set(_module(name), "time", time_module(clock))
    for name in _THREADS:
        patches.set(_module(name), "threading", threading_module(clock))
    for name in _OWN_THREAD:
        patches.set(_module(name), "Thread", clock.crew.Thread)
    patches.set(_module("asl.eval.callback.callback"), "Event", clock.crew.Event)
    patches.rebind(_PARSER, "boto_client_for", _clients(region))
    _name_callers(patches)
    _answer_early(patches)
    _parse_once(patches)
    _mend_callbacks(patches)
    return executions.connect(patches, clock, on_change)


def _module(name: str) -> Any:
    return importlib.import_module(f"{_PARSER}.{name}")


def _clients(region: str) -> Any:
    """A client a service, made once: moto makes one for every task, which costs more than the
    task."""
    made: dict[str, Any] = {}

    def client_for(region: str = region, service: str = "", **_: Any) -> Any:
        if service not in made:
            made[service] = boto3.client(  # type: ignore[call-overload]
                service, region_name=region, config=Config(retries={"total_max_attempts": 1})
            )
        return made[service]

    return client_for


def _name_callers(patches: Patches) -> None:
    """Each task runs in a thread of its own: name the caller where the task is evaluated."""
    service = _module(
        "asl.component.state.exec.state_task.service.state_task_service"
    ).StateTaskService
    original = service._eval_execution

    def eval_execution(self: Any, env: Any) -> Any:
        _renew_token(env)
        data = env.states.context_object.context_object_data
        token = caller.set(machine_name(data["StateMachine"]["Name"]))
        place = scene.set(scene_of(data, data["State"]["Name"]))
        try:
            return original(self, env)
        finally:
            scene.reset(place)
            caller.reset(token)

    patches.set(service, "_eval_execution", eval_execution)


def _renew_token(env: Any) -> None:
    """A retry is a new attempt with a token of its own; the old one has timed out. moto keeps the
    old one."""
    context = env.states.context_object
    data = context.context_object_data
    if not data.get("Task") or not data["State"].get("RetryCount"):
        return
    old = env.callback_pool_manager.get(data["Task"]["Token"])
    if old is not None:
        old.report(_module("asl.eval.callback.callback").CallbackConsumerTimeout())
    env.callback_pool_manager.add(context.update_task_token())


def _answer_early(patches: Patches) -> None:
    """moto misses an answer that comes before it waits, as it does where a function answers at
    once."""
    callbacks = _module("asl.component.state.exec.state_task.service.state_task_service_callback")
    service = callbacks.StateTaskServiceCallback
    original = service._wait_for_task_token_heartbeat

    def wait(self: Any, env: Any, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        early = callback_endpoint.get_outcome()
        return early or original(self, env, callback_endpoint, heartbeat_endpoint)

    patches.set(service, "_wait_for_task_token_heartbeat", wait)


def _parse_once(patches: Patches) -> None:
    """moto parses a definition when it is created and for every execution, which costs more than
    the execution. A program that is being evaluated is not shared: each gets a copy. Parsed ones
    are kept between runs, by moto's version and their text: to parse them all takes a second."""
    parser = _module("asl.parse.asl_parser").AmazonStateLanguageParser
    original = parser.parse

    def parse(definition: str) -> Any:
        if definition not in _parsed:
            made_of = f"{moto.__version__}\0{sys.version}\0{definition}"
            made = kept("machines", made_of, lambda: pickle.dumps(original(definition)[0]))
            _parsed[definition] = made
        # Nothing here looks at the parse tree, which cannot be kept.
        return pickle.loads(_parsed[definition]), None  # noqa: S301 - pickled by ourselves

    patches.set(parser, "parse", staticmethod(parse))


def _mend_callbacks(patches: Patches) -> None:
    """SendTaskSuccess and SendTaskFailure.

    moto's own drop the cause, trip over their error for a token that has ended, and over any other
    execution that has been started and has no environment yet.
    """
    callback = _module("asl.eval.callback.callback")
    backend = _module("models").StepFunctionsParserBackend
    responses = importlib.import_module("moto.stepfunctions.responses").StepFunctionResponse

    def send_task_success(self: Any, token: str, output: str) -> None:
        _answer(self, token, callback.CallbackOutcomeSuccess(token, output))

    def send_task_failure(self: Any) -> EmptyResult:
        token, error, cause = (self._get_param(name) for name in ("taskToken", "error", "cause"))
        outcome = callback.CallbackOutcomeFailure(token, error, cause)
        _answer(self.stepfunction_backend, token, outcome)
        return EmptyResult()

    patches.set(backend, "send_task_success", send_task_success)
    patches.set(responses, "send_task_failure", send_task_failure)


class TaskTimedOut(AWSError):  # type: ignore[misc]
    """The task that a token stood for has ended (Step Functions API, SendTaskSuccess)."""

    TYPE = "TaskTimedOut"
    STATUS = 400


def _answer(backend: Any, token: str, outcome: Any) -> None:
    for execution in backend._get_executions():
        environment = getattr(execution.exec_worker, "env", None)
        endpoint = environment.callback_pool_manager.get(token) if environment else None
        if endpoint is None:
            continue
        if endpoint.consumer_error or endpoint.get_outcome() or execution.stop_date:
            raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
        endpoint.notify(outcome)
        return
    raise InvalidToken
