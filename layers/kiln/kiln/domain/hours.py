"""Scaling by time: which instances are started at their hours and stopped outside them.

OpsWorks looked every few minutes whether the hour, UTC, was in an instance's weekly map (opsworks
guide, "Using automatic time-based scaling").
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.load import can_start
from kiln.domain.scaling import Scaling, is_hour

S = InstanceState
_RUNNING = frozenset({S.ONLINE, S.SETUP_FAILED, S.START_FAILED, S.CONNECTION_LOST, S.STOP_FAILED})


def change_by_hour(entry: LayerInstance, now: datetime) -> Literal["start", "stop"] | None:
    """What the hour asks of an instance.

    One that its user has started or stopped stays so until the next hour begins; so does one that
    could not be stopped.
    """
    if entry.scaling is not Scaling.TIME or _rests(entry, now):
        return None
    if is_hour(entry.hours, now):
        return "start" if entry.state is S.STOPPED and can_start(entry) else None
    return "stop" if entry.state in _RUNNING else None


def _rests(entry: LayerInstance, now: datetime) -> bool:
    if entry.asked_by != "user" and entry.state is not S.STOP_FAILED:
        return False
    return bool(entry.changed_at) and _hour(datetime.fromisoformat(entry.changed_at)) == _hour(now)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
