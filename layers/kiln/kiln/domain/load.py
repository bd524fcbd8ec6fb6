"""Scaling by load: which of a layer's load-based instances are started or stopped, and when.

OpsWorks started and stopped them by thresholds or alarms, a few at a time; it made none (opsworks
guide, "Using automatic load-based scaling").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from kiln.domain.durations import seconds
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.scaling import LoadScaling, Scaling, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

S = InstanceState
Direction = Literal["start", "stop"]
# What runs, the broken first: it serves nobody.
_RUNNING = (S.SETUP_FAILED, S.ONLINE)


class AlarmState(Model):
    """An alarm as CloudWatch names it (OK, ALARM, INSUFFICIENT_DATA), and since when."""

    value: str
    since: datetime


class LoadStep(Model):
    """A step of a layer: which instances, by own id and revision, and until when no other is taken.
    `number` counts a layer's steps from 1."""

    layer: str
    number: int
    change: Direction
    chosen: dict[str, int]
    at: datetime
    until: datetime


def alarms_of(load: LoadScaling) -> tuple[str, ...]:
    """All alarms that a layer is scaled by, each once."""
    return tuple(dict.fromkeys((*load.up.alarms, *load.down.alarms)))


def unknown(load: LoadScaling, alarms: Mapping[str, AlarmState]) -> str | None:
    """An alarm that does not say how the load is: with one of them nothing is scaled."""
    for name in alarms_of(load):
        if name not in alarms or alarms[name].value == "INSUFFICIENT_DATA":
            return name
    return None


def direction(
    load: LoadScaling, alarms: Mapping[str, AlarmState], last: LoadStep | None, now: datetime
) -> Direction | None:
    """Which way the layer is to go now. More before less, where both are asked for."""
    if unknown(load, alarms) or (last and now < last.until):
        return None
    if _is_ripe(load.up, alarms, now):
        return "start"
    return "stop" if _is_ripe(load.down, alarms, now) else None


def _is_ripe(threshold: Threshold, alarms: Mapping[str, AlarmState], now: datetime) -> bool:
    wait = timedelta(seconds=seconds(threshold.wait))
    states = (alarms[name] for name in threshold.alarms)
    return any(state.value == "ALARM" and now - state.since >= wait for state in states)


def chosen(
    change: Direction, load: LoadScaling, entries: tuple[LayerInstance, ...]
) -> tuple[LayerInstance, ...]:
    """The instances of a step, of those that nobody else works on: the first to start, the last to
    stop, as the numbers in their hostnames go."""
    members = [entry for entry in entries if entry.scaling is Scaling.LOAD]
    if change == "start":
        found = [e for e in members if e.state is S.STOPPED and can_start(e)]
        return tuple(sorted(found, key=_place)[: load.up.instances])
    found = [e for e in members if e.state in _RUNNING]
    found.sort(key=_place, reverse=True)
    found.sort(key=lambda e: _RUNNING.index(e.state))
    return tuple(found[: load.down.instances])


def can_start(entry: LayerInstance) -> bool:
    """Whether there is something to start: before a layer has taken an image there is not."""
    return bool(entry.image or entry.ec2_id)


def _place(entry: LayerInstance) -> tuple[int, str]:
    return len(entry.hostname), entry.hostname


def step_of(
    layer: str,
    change: Direction,
    threshold: Threshold,
    entries: tuple[LayerInstance, ...],
    now: datetime,
) -> LoadStep:
    """A step as it is remembered; its number is still the first."""
    return LoadStep(
        layer=layer,
        number=1,
        change=change,
        chosen={entry.id: entry.revision for entry in entries},
        at=now,
        until=now + timedelta(seconds=seconds(threshold.ignore)),
    )
