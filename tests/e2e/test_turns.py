"""Bakes beside each other in the local AWS: one of a blueprint, so many of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.turns import Line
from kiln.wiring import world
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.builders import a_version
from tests.e2e.running import AMAZON, ROOT
from tests.integration.local.worlds import until
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
MOST = 3


def small(name: str) -> dict[str, Any]:
    """A small blueprint."""
    return {
        "kind": "blueprint",
        "name": name,
        "platform": "amazon-linux-2023",
        "base": {"parameter": f"{AMAZON}/al2023-ami-kernel-default-x86_64"},
        "builder": {"instance_types": ["m7i.large"]},
        "steps": [{"name": "mark", "shell": f"echo {name} >/etc/mark"}],
    }


@dataclass
class Bakes:
    """A local AWS in which at most three bakes go at once."""

    aws: LocalAws

    @property
    def api(self) -> Any:
        """Step Functions."""
        return self.aws.session().client("stepfunctions")

    def start(self, name: str, execution: str, **request: Any) -> str:
        """Start a bake of a small blueprint; its execution's ARN."""
        started = self.api.start_execution(
            stateMachineArn=self.aws.outputs["BakeStateMachineArn"],
            name=execution,
            input=json.dumps({"blueprint": small(name), **request}),
        )
        return str(started["executionArn"])

    def status(self, arn: str) -> str:
        """How an execution stands."""
        return str(self.api.describe_execution(executionArn=arn)["status"])

    def ended(self, arn: str, seconds: float = 200) -> dict[str, Any]:
        """How an execution has ended."""
        until(lambda: self.status(arn) != "RUNNING", seconds, 0.1)
        return dict(self.api.describe_execution(executionArn=arn))

    def entered(self, arn: str, state: str) -> list[datetime]:
        """When an execution entered a state."""
        pages = self.api.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [
            event["timestamp"]
            for page in pages
            for event in page["events"]
            if event.get("stateEnteredEventDetails", {}).get("name") == state
        ]

    def record(self, blueprint: str) -> BakeRecord:
        """A blueprint's newest bake."""
        return world().records.bakes(blueprint)[-1]


@pytest.fixture(scope="module")
def bakes() -> Iterator[Bakes]:
    with LocalAws(ROOT, speed=300, parameters={"MaxBakes": str(MOST)}) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        yield Bakes(aws)


NAMES = [f"shop-{n}" for n in range(6)]
BROKEN = {"steps": [{"name": "break", "shell": "exit 3"}], "rebuild": {"pause_after": 2}}


@pytest.fixture(scope="module")
def twelve(bakes: Bakes) -> list[str]:
    """Two bakes of each of six blueprints, asked for one after the other and ended; those of the
    odd ones fail."""
    arns: list[str] = []
    for execution in (f"{name}-{part}" for part in "ab" for name in NAMES):
        name, odd = execution[:-2], len(arns) % 2
        arn = bakes.start(name, execution, force=True, overrides=BROKEN if odd else {})
        # It is known to whoever comes next.
        until(lambda arn=arn: bakes.entered(arn, "MayGo"))
        arns.append(arn)
    for number, arn in enumerate(arns):
        told = bakes.ended(arn)
        assert told["status"] == ("FAILED" if number % 2 else "SUCCEEDED"), told.get("cause")
    return arns


def at_once(spans: list[tuple[datetime, datetime]]) -> int:
    """How many spans lie over each other at most."""
    edges = sorted([(e, -1) for _, e in spans] + [(b, 1) for b, _ in spans])
    height = most = 0
    for _, step in edges:
        height += step
        most = max(most, height)
    return most


def passed_over(spans: list[tuple[datetime, datetime]], number: int) -> int:
    """How many bakes asked before this one, could go when it went, and went later."""
    went = spans[number][0]
    able = [n for n in range(number) if n < 6 or spans[n - 6][1] <= went]
    return sum(spans[n][0] > went for n in able)


def test_twelve_bakes_of_six_blueprints_go_three_at_a_time_in_their_order(
    bakes: Bakes, twelve: list[str]
) -> None:
    entered = bakes.entered
    spans = [(entered(arn, "LaunchBuilder")[0], entered(arn, "Teardown")[0]) for arn in twelve]
    assert at_once(spans) == MOST
    for n in range(6):
        assert at_once([spans[n], spans[n + 6]]) == 1
    for n, (went, _) in enumerate(spans):
        # Of several that may go at once any may be the fastest.
        run = sum(begun <= went < ended for begun, ended in spans)
        assert run + passed_over(spans, n) <= MOST, n
    assert world().turns.line() == Line()


@pytest.mark.usefixtures("twelve")
def test_a_bake_that_nothing_has_changed_for_is_skipped_unless_it_is_forced(bakes: Bakes) -> None:
    older, newer = world().records.images("shop-0")  # the second one was forced
    told = bakes.ended(bakes.start("shop-0", "again"))
    said = json.loads(told["output"])
    assert said["image"] == newer.id
    assert said["skipped"].startswith(f"nothing has changed since {newer.bake}")
    assert bakes.entered(told["executionArn"], "LaunchBuilder") == []
    assert bakes.record("shop-0").status is BakeStatus.SKIPPED
    # The newest image is gone: the one before it is what a bake would make.
    world().images.deregister(newer.id)
    assert json.loads(bakes.ended(bakes.start("shop-0", "anew"))["output"])["image"] == older.id


def kiln(*args: object) -> Any:
    """What a command prints with --json; functions of this process print before it."""
    ran = run(*args, "--json")
    assert ran.status == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.usefixtures("twelve")
def test_the_command_line_says_what_is_skipped_what_waits_and_what_is_paused(bakes: Bakes) -> None:
    world().versions.add(a_version(blueprint="shop-0", document=small("shop-0")))
    image = world().records.images("shop-0")[0].id
    skipped = kiln("bake", "shop-0")
    assert skipped["bake"]["status"] == "SKIPPED"
    assert skipped["bake"]["skipped"]["image"] == image
    assert skipped["image"] is None
    plan = kiln("plan", "shop-0")
    assert (plan["skipped"]["image"], plan["unseen"]) == (image, [])
    holder = bakes.start("told", "told-1")
    until(lambda: bakes.entered(holder, "AwaitBuilder"), 60)
    waiting = bakes.start("told", "told-20261123-101500-9f3a")
    until(lambda: bakes.entered(waiting, "AwaitTurn"), 60)
    one = kiln("status", "told-20261123-101500-9f3a")["bake"]
    assert one["status"] == "WAITING"
    assert one["waits_for"].endswith("of the same blueprint")
    rows = {row["status"]: row for row in kiln("status")["bakes"]}
    assert rows["WAITING"]["waits_for"] == one["waits_for"]
    assert rows["SKIPPED"]["skipped"]["image"] == image
    for arn in (waiting, holder):
        bakes.api.stop_execution(executionArn=arn)
    paused = kiln("blueprints", "pause", "shop-0", "--reason", "bad base")["paused"]
    assert (paused["reason"], paused["version"]) == ("bad base", None)
    assert kiln("blueprints", "resume", "shop-0")["paused"] is None
    assert run("blueprints", "resume", "nothing").status == 2


def test_one_that_is_stopped_holds_up_nobody(bakes: Bakes) -> None:
    holder = bakes.start("stopped", "stopped-1")
    until(lambda: bakes.entered(holder, "AwaitBuilder"), 60)
    dead = bakes.start("stopped", "stopped-2", force=True)
    until(lambda: bakes.entered(dead, "AwaitTurn"), 60)
    last = bakes.start("stopped", "stopped-3", overrides=BROKEN)
    until(lambda: bakes.entered(last, "AwaitTurn"), 60)
    for arn in (dead, holder):
        bakes.api.stop_execution(executionArn=arn, cause="enough")
    assert bakes.ended(last)["error"] == "StepFailed"
    assert world().turns.line() == Line()


def test_scheduled_failures_in_a_row_pause_a_blueprint(bakes: Bakes) -> None:
    started = (
        bakes.start("broken", f"broken-{n}", trigger="schedule", overrides=BROKEN) for n in "123"
    )
    first, second, third = (bakes.ended(arn) for arn in started)
    assert (first["error"], second["error"]) == ("StepFailed", "StepFailed")
    assert third["status"] == "SUCCEEDED"
    assert "is paused" in json.loads(third["output"])["skipped"]
    # Somebody asks for it: it is baked, and what it makes ends the pause.
    assert bakes.ended(bakes.start("broken", "broken-4"))["status"] == "SUCCEEDED"
    assert world().pauses.paused("broken") is None
