"""What a rollout does next: decided from what is, not from what was planned.

Every decision is a function of the rollout and of its layer's instances as they are now, so that a
rollout that was interrupted goes on from where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiln.domain.durations import seconds
from kiln.domain.feed import amount_of
from kiln.domain.instance import FAILED, LEAVING, STARTING, InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.rollout import Rollout

S = InstanceState
# Not serving and not on the way anywhere: what a rollout that goes well clears away.
_STRANDED = frozenset({S.SETUP_FAILED, S.START_FAILED, S.CONNECTION_LOST})
# On the way from one state to another, and where one comes to rest, well or badly.
MOVING = frozenset({*STARTING, *LEAVING, S.REBOOTING})
AT_REST = frozenset({S.ONLINE, S.STOPPED, S.TERMINATED, S.CONNECTION_LOST, *FAILED})


@dataclass(frozen=True)
class Member:
    """An instance of the layer: its own id, its state, whether its target groups find it healthy,
    and whether a round of Configure has told its peers of it."""

    id: str
    state: InstanceState
    healthy: bool = True
    configured: bool = True


@dataclass(frozen=True)
class Add:
    """Start so many new instances."""

    count: int


@dataclass(frozen=True)
class Start:
    """Start these, which are there."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Stop:
    """Take these out of service and stop them."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Delete:
    """Delete these, which are stopped."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class AwaitStates:
    """Wait until these have come to rest."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class AwaitHealthy:
    """Wait until target groups find these healthy."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class AwaitConfigured:
    """Wait until the peers of these have been told of them."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class AwaitCanary:
    """Let the canary serve for a while."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Lost:
    """These did not come, or did not stay: the rollout has failed."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""


Move = (
    Add
    | Start
    | Stop
    | Delete
    | AwaitStates
    | AwaitHealthy
    | AwaitConfigured
    | AwaitCanary
    | Lost
    | Done
)
Members = tuple[Member, ...]


def next_move(rollout: Rollout, old: Members, new: Members, now: datetime) -> Move:
    """The next thing to do on the way to the new image."""
    if rollout.committed:
        return _clear(old)
    unsteady = _steadied(old, new)
    if unsteady:
        return unsteady
    wanted = rollout.options.instances if rollout.strategy == "add" else rollout.size
    serving = _in(old, {S.ONLINE})
    if rollout.strategy == "canary" and len(new) == 1 and not canary_is_over(rollout, now):
        return AwaitCanary(_ids(new))
    grow = min(wanted - len(new), _room(rollout, len(serving), len(new)))
    if grow > 0:
        return Add(grow)
    if rollout.strategy == "add":
        return Done()
    go = min(len(serving), _spare(rollout, len(serving) + len(new)))
    if go > 0:
        return Stop(_ids(serving)[:go])
    stranded = _in(old, _STRANDED)
    return Stop(_ids(stranded)) if stranded else Done()


def canary_is_over(rollout: Rollout, now: datetime) -> bool:
    """Whether the canary has served long enough."""
    return rollout.size <= 1 or _is_over(rollout.canary_since, rollout.options.bake_time, now)


def _steadied(old: Members, new: Members) -> Move | None:
    """What must come to rest, or be made good, before the next step."""
    lost = _in(new, {*FAILED, *LEAVING, S.CONNECTION_LOST, S.TERMINATED})
    lost += _in(old, {S.STOP_FAILED})
    if lost:
        return Lost(_ids(lost))
    for found, move in (
        (_in(new, {S.STOPPED}), Start),
        (_in(new, MOVING) + _in(old, MOVING), AwaitStates),
        (tuple(m for m in new if not m.healthy), AwaitHealthy),
        (tuple(m for m in new if not m.configured), AwaitConfigured),
    ):
        if found:
            return move(_ids(found))
    return None


def _room(rollout: Rollout, serving: int, new: int) -> int:
    """How many more may be started now."""
    options, size = rollout.options, max(rollout.size, 1)
    batch = max(1, amount_of(options.batch, size))
    if rollout.strategy == "add":
        return options.instances
    if rollout.strategy == "canary" and new == 0:
        return 1
    return min(batch, rollout.size + amount_of(options.surge, size) - serving - new)


def _spare(rollout: Rollout, in_service: int) -> int:
    """How many may go now, so that enough are left in service."""
    options, size = rollout.options, max(rollout.size, 1)
    batch = max(1, amount_of(options.batch, size))
    least = rollout.size if amount_of(options.surge, size) else rollout.size - batch
    return min(batch, in_service - least)


def _clear(old: Members) -> Move:
    going = _in(old, LEAVING)
    if going:
        return AwaitStates(_ids(going))
    stopped = _in(old, {S.STOPPED})
    return Delete(_ids(stopped)) if stopped else Done()


def undo_move(rollout: Rollout, old: Members, new: Members, now: datetime) -> Move:
    """The next thing to do on the way back: first the old ones serve again, then the new ones
    go. What is wrong for good is told last, when everything else is as it was."""
    # One whose stop failed or was cut short may run; only a start lets it serve again.
    back = _in(old, {S.STOPPED, S.STOP_FAILED})
    if back:
        return Start(_ids(back))
    moving = _in(old, MOVING) + _in(new, MOVING)
    if moving:
        return AwaitStates(_ids(moving))
    sick = tuple(m for m in old if m.state is S.ONLINE and not m.healthy)
    if sick and not _is_over(rollout.back_since, rollout.options.health_within, now):
        return AwaitHealthy(_ids(sick))
    up = _in(new, {S.ONLINE, *_STRANDED})
    if up:
        return Stop(_ids(up))
    gone = _in(new, {S.STOPPED})
    if gone:
        return Delete(_ids(gone))
    wrong = tuple(m for m in old if m.state is not S.ONLINE) + new
    return Lost(_ids(wrong)) if wrong else Done()


def _is_over(since: str | None, span: str, now: datetime) -> bool:
    return since is not None and now >= datetime.fromisoformat(since) + timedelta(
        seconds=seconds(span)
    )


def _in(members: Members, states: Iterable[InstanceState]) -> Members:
    wanted = set(states)
    return tuple(member for member in members if member.state in wanted)


def _ids(members: Members) -> tuple[str, ...]:
    return tuple(member.id for member in members)
