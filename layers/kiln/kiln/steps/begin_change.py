"""BeginChange: take a layer's instance for one change, and say which way it goes. Undone by
EndChange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.failure import Failure
from kiln.domain.healing import with_heal
from kiln.domain.instance import Initiator, InstanceState, LayerInstance, may_become
from kiln.domain.model import Model
from kiln.domain.stopped import Stopped
from kiln.errors import AwsBusy, InstanceBusy, WrongState
from kiln.steps._instances import enter, found, write
from kiln.steps._stacks import layer_of
from kiln.steps._taking_over import change_payload, row_of, take_over, under_way

if TYPE_CHECKING:
    from kiln.ports import World

# An instance of an Auto Scaling group joins its layer and leaves it as its group says.
Change = Literal["start", "setup", "run", "stop", "delete", "reboot", "heal", "join", "leave"]
S = InstanceState
_FIRST = {
    "start": S.REQUESTED,
    "stop": S.STOPPING,
    "delete": S.TERMINATING,
    "reboot": S.REBOOTING,
    "heal": S.STOPPING,
    "join": S.REQUESTED,
    "leave": S.STOPPING,
}
_PATHS = {"join": "start", "leave": "stop"}
# Where a change would lead, if the instance is there already.
_LAST = {"start": S.ONLINE, "stop": S.STOPPED, "join": S.ONLINE, "leave": S.STOPPED}
# Where a change that has no first state of its own may begin.
_FROM = {"setup": {S.ONLINE, S.SETUP_FAILED}, "run": {S.ONLINE}}


class BeginChange(Model):
    """Which instance of which stack, by its own id; `execution` is the change's own name, `rollout`
    the rollout that it is a part of. With `stopped` it ends one that was."""

    stack: str
    instance: str
    change: Change
    execution: str
    by: Initiator = "user"
    rollout: str = ""
    stopped: Stopped | None = None


class ChangeBegun(Model):
    """The way to go, and whether the instance served when the change began. Of a change that was
    stopped: whether EC2 takes the instance `down` already, and what it fails with, if it does."""

    path: Literal["start", "setup", "run", "stop", "delete", "reboot", "heal", "nothing"]
    was_online: bool
    down: bool = False
    failure: Failure | None = None


def begin_change(request: BeginChange, world: World) -> ChangeBegun:
    """Take the instance. Raises InstanceBusy, InstanceGone, WrongState."""
    entry = found(request.stack, request.instance, world)
    if request.stopped:
        return _resumed(request, request.stopped, entry, world)
    _check_whose(entry, request.change, world)
    _check_free(entry, request.execution, world)
    if request.change in ("start", "heal"):
        _check_layer(entry, request.rollout, world)
    if entry.change != request.execution:
        if _is_there(entry, request.change):
            return ChangeBegun(path="nothing", was_online=entry.state is S.ONLINE)
        _check_from(entry, request.change)
        entry = _taken(entry, request, world)
    was_online = entry.serving
    if request.change in _FIRST:
        enter(entry, _FIRST[request.change], world, request.by)
    path: Any = _PATHS.get(request.change, request.change)
    return ChangeBegun(path=path, was_online=was_online)


def _check_whose(entry: LayerInstance, change: Change, world: World) -> None:
    if change in ("start", "stop", "delete"):
        layer = layer_of(entry, world)
        if layer.kind == "autoscaling":
            raise WrongState(
                f"{entry.hostname} of stack {entry.stack} is an instance of Auto Scaling group "
                f"{layer.group}, which alone starts and ends it; change the group's capacity, or "
                "terminate the instance in it"
            )


def _is_there(entry: LayerInstance, change: Change) -> bool:
    if change == "heal":
        # Its agent has answered again meanwhile.
        return entry.state is not S.CONNECTION_LOST
    return entry.state is _LAST.get(change)


def _taken(entry: LayerInstance, request: BeginChange, world: World) -> LayerInstance:
    healed_at = entry.healed_at
    if request.change == "heal":
        healed_at = with_heal(entry, world.clock.now())
    elif request.by == "user":
        # Somebody has looked at it: healing begins anew.
        healed_at = ()
    return write(
        entry,
        world,
        change=request.execution,
        asked_by=request.by,
        healed_at=healed_at,
        serving=entry.state is S.ONLINE or entry.serving,
        error=None,
    )


def _check_free(entry: LayerInstance, execution: str, world: World) -> None:
    holder = entry.change
    if holder in (None, execution):
        return
    # An execution that was stopped or timed out cannot give its instance back: another one does.
    row = row_of("instance", holder or "", world)
    payload = change_payload(row)
    if found(entry.stack, entry.id, world).change != holder:
        raise AwsBusy(f"{entry.hostname} of stack {entry.stack} was given back a moment ago")
    if row.runs or (payload and take_over(row, payload, world)):
        raise InstanceBusy(
            f"{entry.hostname} of stack {entry.stack} is {entry.state}: {holder} works on it; "
            "wait for its end"
        )


def _check_layer(entry: LayerInstance, rollout: str, world: World) -> None:
    """While a rollout works on a layer, nobody else starts an instance of the image that goes."""
    holder = world.records.layer_holder(entry.place)
    if holder in (None, rollout) or not under_way("rollout", holder or "", world):
        return
    raise InstanceBusy(
        f"{entry.hostname}: rollout {holder} works on layer {entry.place}; start it after its end"
    )


def _check_from(entry: LayerInstance, change: str) -> None:
    allowed = _FROM.get(change)
    if allowed and entry.state not in allowed:
        raise WrongState(
            f"{entry.hostname} of stack {entry.stack} is {entry.state}; recipes run by hand on one "
            f"that is {' or '.join(sorted(allowed))}"
        )


# ---------------------------------------------------------------- one that was stopped


def _resumed(
    request: BeginChange, stopped: Stopped, entry: LayerInstance, world: World
) -> ChangeBegun:
    """The way of a change whose execution was stopped: mostly to its end, which puts things right.

    On goes what cannot be called back, and what somebody else has decided: a group about its
    instance, a rollout about one that it no longer needs.
    """
    over = ChangeBegun(path="nothing", was_online=False, failure=stopped.failure)
    untouched = _is_untouched(entry, request, stopped)
    if entry.change not in (stopped.of, request.execution) and not untouched:
        # It had come to its end, or never had the instance.
        return over
    # Its name says the record's revision, so that whoever asks anew means another change from here.
    entry = write(entry, world, change=request.execution)
    if entry.state is _LAST.get(request.change):
        return over.model_copy(update={"failure": None})
    decided = bool(request.rollout) or request.change == "leave"
    if decided and may_become(entry.state, _FIRST.get(request.change, entry.state)):
        entry = enter(entry, _FIRST[request.change], world, request.by)
    if request.change not in ("stop", "delete", "leave"):
        return over
    down = _is_going_down(entry, request.change, world)
    if not (decided or down):
        return over
    path: Any = _PATHS.get(request.change, request.change)
    return ChangeBegun(path=path, was_online=False, down=down)


def _is_untouched(entry: LayerInstance, request: BeginChange, stopped: Stopped) -> bool:
    """Whether the change was stopped before it had taken the instance."""
    return entry.change is None and stopped.of.endswith(f"-{request.change}-{entry.revision}")


def _is_going_down(entry: LayerInstance, change: Change, world: World) -> bool:
    """Whether EC2 has been asked already. A delete is of one that is stopped, or was never
    launched."""
    if entry.state is not (S.TERMINATING if change == "delete" else S.SHUTTING_DOWN):
        return False
    facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    if facts is None:
        return change != "delete" or entry.ec2_id is not None
    ends = ("shutting-down", "terminated")
    return facts.state in (ends if change == "delete" else (*ends, "stopping", "stopped"))
