"""Many bakes at once in a local AWS with EC2's token buckets, by a clock that stands still while
this machine works: what they ask of AWS, and how much of AWS's time they take."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiln.domain.naming import bake_id
from kiln_local.clock import Steady
from kiln_local.throttling import Request, Sizes
from kiln_local.world import LocalAws

ROOT = Path(__file__).parents[1]
# Waits are fast, and work takes next to no simulated time, so that the times are AWS's.
SPEED = Steady(3000, working=0.02)
# The least that a bake does: no steps, no tests of the user's own. Its documents run all the same.
BLUEPRINT: dict[str, Any] = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "builder": {"instance_types": ["m7i.large"]},
}
_LOOK_S = 0.3


@dataclass(frozen=True)
class Crowd:
    """So many bakes that began together, and ended. `calls` counts by operation what was answered
    in the end, `refused` each request that found a bucket empty, `given_up` the calls whose client
    was refused for good."""

    bakes: int
    makespan_s: float
    wall_s: float
    calls: Counter[str]
    refused: Counter[str]
    given_up: Counter[str]
    failures: tuple[str, ...] = ()
    leaks: tuple[dict[str, str], ...] = ()
    images: tuple[str, ...] = field(default=(), repr=False)

    @property
    def calls_per_bake(self) -> float:
        """Requests to AWS, refused ones too."""
        return (self.calls.total() + self.refused.total()) / self.bakes

    def per_bake(self, operation: str) -> float:
        """Answered requests of one operation."""
        return self.calls[operation] / self.bakes

    def bucket_s(self) -> tuple[float, str]:
        """The seconds that the bucket which is asked most needs to grant it all, and the operation
        that asks."""
        return max((_time_of(operation, n), operation) for operation, n in self.calls.items())


def _time_of(operation: str, calls: int) -> float:
    service, _, action = operation.partition(":")
    if service != "ec2":
        return 0.0
    # A launch of Kiln's is of one instance.
    costs = Sizes().costs(Request("", "", action, instances=1))
    return max((tokens * calls - size[0]) / size[1] for _, size, tokens in costs)


def bake_together(count: int) -> Crowd:
    """Bake so many blueprints at once, in a local AWS of their own."""
    most = {"MaxBakes": str(max(10, count))}
    with (
        LocalAws(ROOT, speed=SPEED, throttle=True, parameters=most) as aws,
        quiet(),
    ):
        return _Trial(aws, count).run()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what functions log: of a thousand bakes it is 100 MB."""
    out = sys.stdout
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
    sys.stdout = out


class _Trial:
    def __init__(self, aws: LocalAws, count: int) -> None:
        self._aws = aws
        self._count = count
        self._client = aws.session().client("stepfunctions")

    def run(self) -> Crowd:
        began, wall = self._aws.clock.seconds(), time.monotonic()
        with self._aws.clock.working():
            arns = [self._start(number) for number in range(self._count)]
        self._wait(wall)
        describe: Any = self._client.describe_execution
        told: list[dict[str, Any]] = [describe(executionArn=arn) for arn in arns]
        recorder, start = self._aws.recorder, self._aws.clock.now().timestamp()
        ended = max(one["stopDate"].timestamp() for one in told)
        calls = [call for call in recorder.calls if call.at_s >= began]
        images = [self._image(one) for one in told]
        return Crowd(
            bakes=self._count,
            makespan_s=self._aws.clock.seconds() - (start - ended) - began,
            wall_s=time.monotonic() - wall,
            calls=Counter(call.operation for call in calls),
            refused=Counter(self._aws.buckets.refused),
            given_up=Counter(c.operation for c in calls if c.error == "RequestLimitExceeded"),
            failures=tuple(self._why(one) for one in told if one["status"] != "SUCCEEDED"),
            leaks=tuple(self._leaks(told, images)),
            images=tuple(image for image in images if image),
        )

    def _start(self, number: int) -> str:
        name = f"crowd-{number}"
        bake = bake_id(name, self._aws.clock.now(), name)
        payload = {"blueprint": BLUEPRINT | {"name": name}}
        return str(
            self._client.start_execution(
                stateMachineArn=self._aws.outputs["BakeStateMachineArn"],
                name=bake,
                input=json.dumps(payload),
            )["executionArn"]
        )

    def _wait(self, began: float) -> None:
        for look in itertools.count(1):
            if not (left := self._aws.executions.under_way):
                return
            time.sleep(_LOOK_S)
            if look % 100 == 0:
                after = f"{self._aws.clock.seconds():.0f} s of AWS's time"
                here = f"{time.monotonic() - began:.0f} s here"
                sys.stderr.write(f"{len(left)} of {self._count} under way: {after}, {here}\n")

    @staticmethod
    def _image(told: dict[str, Any]) -> str | None:
        image = json.loads(told.get("output") or "{}").get("image")
        return str(image) if image else None

    @staticmethod
    def _why(told: dict[str, Any]) -> str:
        return f"{told['name']} {told['status']}: {told.get('error')}: {told.get('cause')}"

    def _leaks(
        self, told: list[dict[str, Any]], images: list[str | None]
    ) -> Iterator[dict[str, str]]:
        for one, image in zip(told, images, strict=True):
            yield from self._aws.leaks(one["name"], image)
