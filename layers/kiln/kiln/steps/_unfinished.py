"""Work of layers and images that is recorded as under way and that no execution does any more: the
event of its end was lost, or what it had started failed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from kiln.errors import AwsBusy, AwsRefused
from kiln.steps._taking_over import (
    Payload,
    Row,
    change_payload,
    is_open,
    rollout_payload,
    rollout_row,
    rounds_left,
    row_of,
    take_over,
)

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln.ports import World

logger = logging.getLogger(__name__)
Unfinished = Iterator[tuple[Row, Payload]]


def end_unfinished(before: datetime, dry_run: bool, world: World) -> tuple[str, ...]:
    """Let another execution end each, or in a dry run only find it: machine and name of the first
    that worked on it. One that was never started must have been asked for before a time: whoever
    asks writes it down first. AwsBusy."""
    found = []
    for find in (_rollouts, _changes, _rounds, _distributions):
        for row, payload in find(before, world):
            found.append(f"{row.machine} {row.of}")
            _end(row, payload, dry_run, world)
    return tuple(found)


def _end(row: Row, payload: Payload, dry_run: bool, world: World) -> None:
    if dry_run:
        return
    try:
        take_over(row, payload, world, most=None)
    except (AwsBusy, AwsRefused) as error:
        # The next sweep finds it again.
        logger.warning("%s %s is not taken over yet: %s", row.machine, row.of, error)


def _rollouts(before: datetime, world: World) -> Unfinished:
    for rollout in world.records.open_rollouts():
        row = rollout_row(rollout, world)
        asked = row.known or (rollout.asked and datetime.fromisoformat(rollout.asked) < before)
        # Read again: it may have ended between the two.
        if asked and not row.runs and is_open(world.records.rollout(rollout.image, rollout.layer)):
            yield row, rollout_payload(rollout)


def _changes(_: datetime, world: World) -> Unfinished:
    for stack in world.records.stack_names():
        for entry in world.records.instances(stack):
            row = row_of("instance", entry.change, world) if entry.change else None
            payload = change_payload(row) if row and not row.runs else None
            if row and payload and _has_still(entry, world):
                yield row, payload


def _has_still(entry: LayerInstance, world: World) -> bool:
    now = world.records.instance(entry.stack, entry.id)
    return now is not None and now.change == entry.change


def _rounds(_: datetime, world: World) -> Unfinished:
    for stack in world.records.stack_names():
        if rounds_left(stack, world):
            # Where nobody has them, the last who asked should have begun.
            name = world.rounds.holder(stack) or f"{stack}-{world.rounds.asked(stack)}"
            row = row_of("configure", name, world)
            if not (row.runs or row.succeeded):
                yield row, {"stack": stack}


def _distributions(_: datetime, world: World) -> Unfinished:
    for image, execution in world.records.open_distributions():
        row = row_of("distribution", execution, world)
        if not row.runs:
            yield row, {"image": image}
