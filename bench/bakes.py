"""A bake in a local AWS, as EventBridge or a client would start it, and what became of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.ground import Ground
from kiln.domain.naming import bake_id
from kiln_cli import history

_LOOK_S = 0.5
LINUX: dict[str, Any] = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "builder": {"instance_types": ["m7i.large"]},
}


class NotBaked(RuntimeError):
    """A bake that was measured has failed."""


@dataclass(frozen=True)
class Baked:
    """A bake that has succeeded. Times are seconds of the local AWS, of each state from entry to
    exit; `aws_s` is how long at least one operation of AWS's was in progress that it waits for."""

    id: str
    makespan_s: float
    aws_s: float
    states: tuple[tuple[str, float, float], ...]
    output: Mapping[str, Any]


def bake(here: Ground, name: str, document: dict[str, Any]) -> Baked:
    """Bake a blueprint and wait. Raises NotBaked."""
    aws = here.aws
    client: Any = aws.session().client("stepfunctions")
    identity = bake_id(name, aws.clock.now(), name)
    began = aws.clock.seconds()
    arn = client.start_execution(
        stateMachineArn=aws.outputs["BakeStateMachineArn"],
        name=identity,
        input=json.dumps({"blueprint": document | {"name": name}}),
    )["executionArn"]
    while arn in aws.executions.under_way:
        time.sleep(_LOOK_S / aws.clock.speed)
    told = history.describe(client, arn)
    if told.status != "SUCCEEDED" or told.ended is None:
        raise NotBaked(f"{name}: {told.status}: {told.error}: {told.cause}")
    makespan = (told.ended - told.began).total_seconds()
    spans = history.spans(history.events(client, arn), told)
    output = client.describe_execution(executionArn=arn)["output"]
    return Baked(
        identity,
        makespan,
        aws.recorder.busy_s(identity, began, began + makespan),
        tuple((s.name, began + s.entered_s, began + (s.exited_s or makespan)) for s in spans),
        json.loads(output),
    )
