"""Instances by the hour and by load: started and stopped as their stack says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.hours import change_by_hour
from kiln.domain.load import (
    AlarmState,
    LoadStep,
    alarms_of,
    chosen,
    direction,
    step_of,
    unknown,
)
from kiln.domain.scaling import LoadScaling, Scaling

if TYPE_CHECKING:
    from kiln.domain.stack import Layer
    from kiln.steps._tending import Tending


def scale(tending: Tending) -> None:
    """Start and stop what the hour and the load ask for. AwsBusy."""
    _by_hour(tending)
    if any(entry.scaling is Scaling.LOAD for entry in tending.entries):
        _by_load(tending)


def _by_hour(tending: Tending) -> None:
    now = tending.world.clock.now()
    for entry in tending.entries:
        change = change_by_hour(entry, now)
        if change and tending.is_free(entry):
            tending.begin(entry, change, "auto-scaling")


def _by_load(tending: Tending) -> None:
    layers = [(layer, layer.load) for layer in tending.stack.layers if layer.load]
    alarms = tending.world.alarms.look_at(name for _, load in layers for name in alarms_of(load))
    for layer, load in layers:
        silent = unknown(load, alarms)
        if silent:
            what = "does not exist" if silent not in alarms else "is in INSUFFICIENT_DATA"
            tending.left.append(
                f"{tending.name}/{layer.name} is not scaled by load: alarm {silent} {what}"
            )
        elif not tending.is_rolling(layer.name):
            _step(tending, layer, load, alarms)


def _step(tending: Tending, layer: Layer, load: LoadScaling, alarms: dict[str, AlarmState]) -> None:
    place = f"{tending.name}/{layer.name}"
    now = tending.world.clock.now()
    last = tending.world.load_steps.last(place)
    _finish(tending, last)
    change = direction(load, alarms, last, now)
    if change is None:
        return
    members = (entry for entry in tending.entries if entry.layer == layer.name)
    entries = chosen(change, load, tuple(entry for entry in members if tending.is_free(entry)))
    if not entries:
        return
    threshold = load.up if change == "start" else load.down
    step = step_of(place, change, threshold, entries, now)
    number = last.number + 1 if last else 1
    # Written first: of two ticks at once, one takes the step.
    if tending.world.load_steps.put(step.model_copy(update={"number": number})):
        for entry in entries:
            tending.begin(entry, change, "auto-scaling")


def _finish(tending: Tending, last: LoadStep | None) -> None:
    """Begin what a step that was cut short did not; what it did has another revision since."""
    if last is None or tending.world.clock.now() >= last.until:
        return
    for entry in tending.entries:
        if last.chosen.get(entry.id) == entry.revision and tending.is_free(entry):
            tending.begin(entry, last.change, "auto-scaling")
