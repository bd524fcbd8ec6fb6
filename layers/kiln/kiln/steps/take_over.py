"""TakeOver: an execution has ended and may not have come to its own end: stopped from the console,
out of time, or failed in a way that no state catches. Another one ends its work."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from kiln.domain.model import Model
from kiln.errors import AwsBusy
from kiln.ports import Machine, World
from kiln.steps._taking_over import (
    Payload,
    Row,
    change_payload,
    is_open,
    rollout_payload,
    rollout_row,
    rounds_left,
    row_of,
)
from kiln.steps._taking_over import (
    take_over as next_of,
)


class TakeOver(Model):
    """An execution that has ended, by its machine and its name. EventBridge tells the machine by
    its ARN, which ends in `-rollout` and so on."""

    machine: Machine
    execution: str

    @field_validator("machine", mode="before")
    @classmethod
    def _by_its_arn(cls, given: Any) -> Any:
        return given.rpartition("-")[2] if isinstance(given, str) else given


class TakenOver(Model):
    """The execution that was started; none where nothing was left to do."""

    started: str | None


def take_over(request: TakeOver, world: World) -> TakenOver:
    """Start what is not started yet; again is harmless. AwsBusy, AwsRefused."""
    facts = world.machines.look(request.machine, request.execution)
    if facts and facts.status == "RUNNING":
        # DescribeExecution is eventually consistent (Step Functions API).
        raise AwsBusy(f"Step Functions does not tell yet that {request.execution} has ended")
    if facts is None or facts.status == "SUCCEEDED":
        return TakenOver(started=None)
    found = row_of(request.machine, request.execution, world)
    row, payload = _LEFT[request.machine](found, facts.status == "FAILED", world)
    return TakenOver(started=None if payload is None else next_of(row, payload, world))


Left = tuple[Row, Payload | None]


def _rollout(row: Row, _: bool, world: World) -> Left:
    image, layer = (str(row.given.get(key, "")) for key in ("image", "layer"))
    rollout = world.records.rollout(image, layer) if "/" in layer else None
    if rollout is None or not is_open(rollout):
        return row, None
    return rollout_row(rollout, world), rollout_payload(rollout)


def _change(row: Row, failed: bool, world: World) -> Left:
    """One that failed by itself has given its instance back, unless its end has failed too. One
    that was stopped may have left a command of a deployment open, or a group waiting."""
    payload = change_payload(row)
    if payload is None:
        return row, None
    entry = world.records.instance(payload["stack"], payload["instance"])
    has_it = entry is not None and entry.change in row.known
    awaited = bool(payload.get("deployment") or payload.get("hook"))
    left = has_it if failed else entry is not None or awaited
    return row, payload if left else None


def _rounds(row: Row, _: bool, world: World) -> Left:
    stack = str(row.given.get("stack", ""))
    return row, {"stack": stack} if rounds_left(stack, world) else None


def _distribution(row: Row, failed: bool, world: World) -> Left:
    image = str(row.given.get("image", ""))
    noted = (image, row.of) in world.records.open_distributions()
    return row, {"image": image} if noted or not failed else None


_LEFT = {
    "rollout": _rollout,
    "instance": _change,
    "configure": _rounds,
    "distribution": _distribution,
}
