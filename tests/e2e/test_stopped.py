"""Bakes that are stopped from outside, at every state: nothing is left behind, and the record says
why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.naming import bake_id
from kiln.wiring import world
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT
from tests.integration.local.worlds import until
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]
MACHINE = yaml.safe_load((ROOT / "statemachine" / "bake.asl.yaml").read_text())
# Choices and ends take no time: there is no moment at which to stop them.
STATES = [name for name, state in MACHINE["States"].items() if state["Type"] in ("Task", "Map")]
UNSEEN = {"Inspect", "AwaitInspect", "SealOnBuilder", "AwaitSealOnBuilder", "AwaitTurn"}
SMALL = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "steps": [{"name": "tune", "shell": "true"}],
    "verify": {"steps": [{"name": "is there", "shell": "true"}]},
}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """A local AWS that `kiln` finds."""
    with LocalAws(ROOT, speed=100) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        yield aws


class Stopping:
    """One bake, stopped as soon as it enters a state."""

    def __init__(self, aws: LocalAws, state: str) -> None:
        self._aws, self._state = aws, state
        self._client = aws.session().client("stepfunctions")
        self.bake = bake_id("stopped", aws.clock.now(), state)

    def go(self) -> None:
        """Start, wait for the state, stop, wait for the end."""
        arn = self._client.start_execution(
            stateMachineArn=self._aws.outputs["BakeStateMachineArn"],
            name=self.bake,
            input=json.dumps({"blueprint": SMALL | {"name": "stopped"}, "force": True}),
        )["executionArn"]
        until(lambda: self._entered(arn), seconds=60, pause=0.005)
        self._client.stop_execution(executionArn=arn)
        until(lambda: self.status(arn) != "RUNNING")

    @property
    def told(self) -> bool:
        """Whether Step Functions has sent the event of its end."""
        sent = self._aws.sent("Step Functions Execution Status Change")
        ends = [event["detail"] for event in sent if event["detail"]["name"] == self.bake]
        return any(detail["status"] != "RUNNING" for detail in ends)

    def status(self, arn: str) -> str:
        """How the execution stands."""
        return str(self._client.describe_execution(executionArn=arn)["status"])

    def _entered(self, arn: str) -> bool:
        events = self._client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        entered = {
            e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
        }
        return self._state in entered or self.status(arn) != "RUNNING"


def kiln(*args: object) -> Any:
    """What a command prints with --json."""
    ran = run(*args, "--json")
    assert ran.status == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("state", [name for name in STATES if name not in UNSEEN])
def test_a_bake_that_is_stopped_leaves_nothing_and_says_that_it_was(
    aws: LocalAws, state: str
) -> None:
    stopping = Stopping(aws, state)
    stopping.go()
    until(lambda: stopping.told)
    record = until(lambda: _ended(stopping.bake), seconds=60)
    if record.status is BakeStatus.FAILED:
        assert record.error == "ABORTED"
        assert f"{stopping.bake} was stopped from outside" in (record.cause or "")
    # A function under way at the stop may have made something after Teardown: that is the sweep's.
    until(lambda: _is_clean(aws, record), seconds=60, pause=0.2)
    # An image that its record names is verified and recorded, however its bake ended.
    assert record.image is None or world().records.image(record.image)


def _is_clean(aws: LocalAws, record: BakeRecord) -> bool:
    if aws.leaks(record.plan.bake, record.image):
        kiln("sweep", "--grace", "0s")
    return not aws.leaks(record.plan.bake, record.image)


def _ended(bake: str) -> BakeRecord | None:
    found = world().records.bake(bake)
    return found if found and found.ended else None


@contextmanager
def disabled(aws: LocalAws, *named: str) -> Iterator[None]:
    """Without the rules whose names have these in them."""
    rules = aws.session().client("events")
    known = [rule["Name"] for rule in rules.list_rules()["Rules"]]
    found = [name for name in known if any(part in name for part in named)]
    assert len(found) == len(named)
    for name in found:
        rules.disable_rule(Name=name)
    try:
        yield
    finally:
        for name in found:
            rules.enable_rule(Name=name)


def test_what_a_lost_event_leaves_is_found_by_the_sweep(aws: LocalAws) -> None:
    # The sweep by hand is to find it, not the hourly one, which is never far at this speed.
    with disabled(aws, "TeardownFunctionEnded", "SweepFunctionEachHour"):
        stopping = Stopping(aws, "AwaitPrepare")
        stopping.go()
        until(lambda: stopping.told)
        assert aws.leaks(stopping.bake, None)
        dry = kiln("sweep", "--dry-run", "--grace", "0s")
        assert dry["ended"] == [stopping.bake]
        assert {leak["outcome"] for leak in dry["leaks"]} <= {"found"}
        assert kiln("sweep")["ended"] == [stopping.bake]
    record = _ended(stopping.bake)
    assert record is not None
    assert (record.status, record.error) == (BakeStatus.FAILED, "ABORTED")
    until(lambda: not aws.leaks(stopping.bake, None), pause=0.2)
