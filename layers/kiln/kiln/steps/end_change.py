"""EndChange: record how a change of an instance ended, and give the instance back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.failure import Failure
from kiln.domain.healing import UNHEALED
from kiln.domain.hooks import LifecycleAction
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.errors import AwsRefused
from kiln.steps._cut_short import cut_short, end_strays, serving
from kiln.steps._deployments import log_of, record_command
from kiln.steps._instances import enter, follow_member, remove, through, write
from kiln.steps._rollouts import note_failed_join
from kiln.steps.begin_change import Change

if TYPE_CHECKING:
    from kiln.ports import World

S = InstanceState
_FAILED_FROM = {
    S.REQUESTED: S.START_FAILED,
    S.PENDING: S.START_FAILED,
    S.BOOTING: S.START_FAILED,
    S.RUNNING_SETUP: S.SETUP_FAILED,
    S.REBOOTING: S.CONNECTION_LOST,
    S.STOPPING: S.STOP_FAILED,
    S.SHUTTING_DOWN: S.STOP_FAILED,
    S.TERMINATING: S.STOP_FAILED,
}


class EndChange(Model):
    """The change by its name, what it was, and what failed, if anything did; `events` are those of
    a `deployment`, `hook` is what an Auto Scaling group waits for. `stopped` is the change that was
    stopped, where this one ends it."""

    stack: str
    instance: str
    change: Change
    execution: str
    failure: Failure | None = None
    deployment: str | None = None
    events: tuple[str, ...] = ()
    hook: LifecycleAction | None = None
    stopped: str | None = None

    @property
    def of(self) -> str:
        """The change that did what was done."""
        return self.stopped or self.execution


class ChangeEnded(Model):
    """The state that the instance is in; a Fail state ends in `error` and `cause`."""

    state: str
    error: str = ""
    cause: str = ""


def end_change(request: EndChange, world: World) -> ChangeEnded:
    """Record and give back; again is harmless. AwsBusy."""
    entry = world.records.instance(request.stack, request.instance)
    ended = _ended(request, entry, world)
    if request.deployment:
        _deployed(request, request.deployment, entry, world)
    if request.hook:
        # Last: from here on the group may do away with the instance.
        try:
            _answer(request.hook, request, entry, world)
        except AwsRefused as error:
            _note_unanswered(request, error, world)
            raise
    return ended


def _deployed(
    request: EndChange, deployment: str, entry: LayerInstance | None, world: World
) -> None:
    """What a deployment came to here, once the instance is free again."""
    asked = world.deployments.get(request.stack, deployment)
    if asked is None:
        return
    known = world.deployments.commands(request.stack, deployment) if request.stopped else ()
    if any(command.instance == request.instance for command in known):
        # The change had come to its end before it was stopped.
        return
    # A Setup ends with the Deploy recipes.
    events = ("setup", "deploy") if request.change == "setup" else request.events
    log = log_of(entry, request.of, events, asked, world) if entry else ""
    record_command(asked, entry or request.instance, (request.failure, log), world)


def _ended(request: EndChange, entry: LayerInstance | None, world: World) -> ChangeEnded:
    failure = request.failure
    name, reason = (failure.name, failure.reason) if failure else ("", "")
    if entry is None:
        state = "gone" if failure else S.TERMINATED.value
        return ChangeEnded(state=state, error=name, cause=reason)
    # Whoever ends a stopped change has taken the instance first.
    mine = (request.execution,) if request.stopped else (request.execution, None)
    if entry.change not in mine:
        # Somebody else's: this change never had the instance, or has given it back.
        return ChangeEnded(state=entry.state.value, error=name, cause=reason)
    if failure and request.change == "join" and entry.rollout:
        note_failed_join(entry.rollout, f"{entry.hostname}: {failure.reason}", world)
    ended = _failed(request, entry, failure, world) if failure else _done(request, entry, world)
    return ChangeEnded(state=ended.value, error=name, cause=reason)


def _failed(
    request: EndChange, entry: LayerInstance, failure: Failure, world: World
) -> InstanceState:
    change = request.change
    if request.stopped:
        entry = cut_short(entry, change, request.stopped, failure, world)
    if change in ("start", "heal"):
        end_strays(entry, request.of, world)
    if change == "heal" and entry.state in UNHEALED:
        # Lost as before: what it has come to is no start and no stop that its user asked for.
        was, why = entry.state, failure.reason
        entry = enter(entry, S.CONNECTION_LOST, world, lost_in=was, error=why)
    elif entry.state in _FAILED_FROM:
        entry = enter(entry, _FAILED_FROM[entry.state], world, error=failure.reason)
    return write(entry, world, change=None, error=failure.reason).state


def _done(request: EndChange, entry: LayerInstance, world: World) -> InstanceState:
    change = request.change
    if request.stopped and entry.state is S.ONLINE:
        # It was stopped on its last steps.
        entry = serving(entry, world)
    if change == "delete":
        remove(enter(entry, S.TERMINATED, world), world)
        return S.TERMINATED
    if change == "leave":
        # One that never joined is stopped.
        first = (S.TERMINATING,) if entry.state is S.STOPPED else ()
        remove(through(entry, (*first, S.TERMINATED), world), world)
        return S.TERMINATED
    if change == "reboot":
        entry = enter(entry, S.ONLINE, world)
    if change == "stop" and entry.state is not S.STOPPED:
        gone = entry.root_device != "ebs"
        states = (S.TERMINATED, S.STOPPED) if gone else (S.STOPPED,)
        entry = through(entry, states, world, **({"ec2_id": None} if gone else {}))
    return write(entry, world, change=None, lost_in=None).state


def _note_unanswered(request: EndChange, error: AwsRefused, world: World) -> None:
    """The group goes on waiting for an answer: whoever asks why finds the reason in the record."""
    entry = world.records.instance(request.stack, request.instance)
    if entry:
        write(entry, world, error=f"its group could not be told how {request.of} ended: {error}")


def _answer(
    hook: LifecycleAction, request: EndChange, entry: LayerInstance | None, world: World
) -> None:
    """Let the group go on with the instance, or give it up. One that is online already is not given
    up because its change was stopped a moment too early."""
    serves = bool(request.stopped and entry and entry.state is S.ONLINE)
    failed = request.failure is not None and not serves
    heard = world.groups.complete(hook, "ABANDON" if failed else "CONTINUE")
    if heard or request.change != "join":
        return
    facts = world.fleet.describe(hook.instance)
    if facts is None or facts.state in ("shutting-down", "terminated"):
        # The group gave it up before, and its leaving found the instance busy with joining.
        follow_member("leave", (request.stack, request.instance), "late", None, world)
