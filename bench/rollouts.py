"""`make bench-rollouts`: a rollout to 10 and 100 instances of one layer (INSTANCES="10 1000"), a
quarter of them at a time, under EC2's token buckets: what it asks of AWS for each, how many rounds
of Configure it costs, and how long it takes.

Setup and Configure run one line of shell each, on every instance. The clock stands still while this
machine works, so that the times are AWS's.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from typing import Any

import click

from bench.crowd import ROOT, SPEED, quiet
from bench.results import merge_row
from kiln.domain.feed import RolloutOptions, amount_of
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.domain.stack import stack_from
from kiln.ports import World
from kiln.steps._instances import change_instance
from kiln.steps._rollouts import begin_by_hand
from kiln.wiring import world
from kiln_cli import history, local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws

BASE = "/aws/service/debian/release/12/latest/amd64"
A_QUARTER = RolloutOptions(batch="25%", surge="25%")
LAYER: dict[str, Any] = {
    "name": "web",
    "kind": "instances",
    "platform": "debian-12",
    "instance_type": "m7i.large",
    "auto_healing": False,
    "recipes": {"setup": ["true"], "configure": ["true"]},
}
_LOOK_S = 0.5
_COLUMNS = (
    *(("instances", 10), ("makespan_s", 11), ("calls_per_instance", 19)),
    *(("configure_rounds", 17), ("failures", 9), ("leaks", 6), ("wall_s", 7)),
)


class Layer:
    """A layer of so many instances, all online."""

    def __init__(self, aws: LocalAws, count: int) -> None:
        self.aws = aws
        self.count = count
        self.kiln: World = world()
        self._ec2: Any = aws.session().client("ec2")
        base = aws.session().client("ssm").get_parameter(Name=BASE)["Parameter"]["Value"]
        self.kiln.records.put_stack(
            stack_from({"kind": "stack", "name": "shop", "layers": [LAYER | {"count": count}]})
        )
        entries = [self._entry(number, base) for number in range(1, count + 1)]
        with aws.clock.working():
            for entry in entries:
                self.kiln.records.add_instance(entry)
                change_instance(entry, "start", self.kiln)
        self._rest()
        self.image = self._copied(base)

    @staticmethod
    def _entry(number: int, image: str) -> LayerInstance:
        return LayerInstance(
            id=f"web-{number:08x}",
            stack="shop",
            layers=("web",),
            hostname=f"web{number}",
            state=InstanceState.STOPPED,
            image=image,
            platform="debian-12",
        )

    def _copied(self, base: str) -> str:
        """Another image of the same contents."""
        made = self._ec2.copy_image(SourceImageId=base, SourceRegion=self.aws.region, Name="web-2")
        name = str(made["ImageId"])
        while self._ec2.describe_images(ImageIds=[name])["Images"][0]["State"] != "available":
            time.sleep(_LOOK_S)
        return name

    def _rest(self) -> None:
        """Wait until no change, no round and no rollout runs."""
        while self.aws.executions.under_way:
            time.sleep(_LOOK_S)

    def roll_out(self) -> dict[str, Any]:
        """What a rollout of the new image takes and leaves."""
        rounds = len(self.kiln.rounds.rounds("shop"))
        wall = time.monotonic()
        first = len(self.aws.recorder.calls)
        name = rollout_id(self.image, "shop/web")
        rollout = Rollout(
            id=name,
            image=self.image,
            layer="shop/web",
            strategy="replace",
            options=A_QUARTER,
            bake="",
            platform="debian-12",
            architecture="x86_64",
            asked=self.kiln.clock.now().isoformat(),
        )
        with self.aws.clock.working():
            begin_by_hand(rollout, self.kiln)
        self._rest()
        ended = self.kiln.records.rollout(self.image, "shop/web")
        calls = Counter(call.operation for call in self.aws.recorder.calls[first:])
        return {
            "instances": self.count,
            "batches": math.ceil(self.count / max(1, amount_of(A_QUARTER.batch, self.count))),
            "makespan_s": self._makespan_s(name),
            "calls_per_instance": round(calls.total() / self.count, 1),
            "configure_rounds": len(self.kiln.rounds.rounds("shop")) - rounds,
            "failures": self._failures(ended),
            "leaks": len(self._running()) - self.count,
            "wall_s": round(time.monotonic() - wall),
        }

    def _makespan_s(self, execution: str) -> float:
        """By Step Functions: the clock runs on until this process looks."""
        machine = self.aws.outputs["RolloutStateMachineArn"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
        told = history.describe(self.aws.session().client("stepfunctions"), arn)
        ended = told.ended or self.kiln.clock.now()
        return round((ended - told.began).total_seconds(), 1)

    def _failures(self, ended: Rollout | None) -> int:
        """Instances that do not serve the new image; all of them where the rollout failed."""
        if ended is None or ended.status is not RolloutStatus.SUCCEEDED:
            click.echo(f"the rollout failed: {ended and ended.cause}", err=True)
            return self.count
        entries = self.kiln.records.instances("shop")
        served = [e for e in entries if e.state is InstanceState.ONLINE and e.image == self.image]
        return self.count - len(served)

    def _running(self) -> list[str]:
        wanted = [
            {"Name": "tag:kiln:stack", "Values": ["shop"]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping"]},
        ]
        pages = self._ec2.get_paginator("describe_instances").paginate(Filters=wanted)
        found = (reserved for page in pages for reserved in page["Reservations"])
        return [i["InstanceId"] for reserved in found for i in reserved["Instances"]]


def measured(count: int) -> dict[str, Any]:
    """A rollout to so many instances, in a local AWS of its own."""
    with LocalAws(ROOT, speed=SPEED, throttle=True) as aws, quiet():
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        return Layer(aws, count).roll_out()


@click.command()
@click.argument("instances", nargs=-1, type=click.IntRange(1))
def main(instances: tuple[int, ...]) -> None:
    """Roll out to so many instances, each number in a local AWS of its own."""
    logging.disable(logging.WARNING)
    click.echo("".join(f"{name:>{width}}" for name, width in _COLUMNS))
    for count in instances or (10, 100):
        row = measured(count)
        click.echo("".join(f"{row[name]:>{width}}" for name, width in _COLUMNS))
        merge_row("rollouts", row, "instances", "make bench-rollouts")


if __name__ == "__main__":
    main()
