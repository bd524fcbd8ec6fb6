"""Schedules of blueprints in the local AWS: applied, they bake; mended, they bake again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiln_cli.applying import apply_file, plan_file
from kiln_cli.files import read_blueprint
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, SPEED, write
from tests.integration.local.worlds import until

pytestmark = pytest.mark.long


def test_a_blueprint_is_baked_on_its_schedule_and_no_more_once_that_is_gone(
    tmp_path: Any,
) -> None:
    """A schedule by rate begins as soon as it is made."""
    file = read_blueprint(write(tmp_path, rebuild={"schedule": "rate(1 day)"}))
    with LocalAws(ROOT, speed=SPEED) as aws:
        world = make_place(aws.session(), "kiln", aws.outputs).world
        client, scheduler = (aws.session().client(n) for n in ("stepfunctions", "scheduler"))
        machine = aws.outputs["BakeStateMachineArn"]

        def inputs() -> list[Any]:
            runs = client.list_executions(stateMachineArn=machine)["executions"]
            arns = [run["executionArn"] for run in runs]
            return [json.loads(client.describe_execution(executionArn=a)["input"]) for a in arns]

        assert plan_file(file, world).applied.difference[-1].line == (
            'schedule: added "rate(1 day) UTC"'
        )
        apply_file(file, world)
        assert until(inputs) == [{"blueprint": "small", "trigger": "schedule"}]
        # Asked at nearly the same time, either of two may go first: let this one have its turn.
        until(lambda: world.records.bakes("small"))
        scheduler.delete_schedule(Name="small", GroupName="kiln")
        assert apply_file(file, world).change == "changed"
        assert scheduler.get_schedule(Name="small", GroupName="kiln")["State"] == "ENABLED"
        until(lambda: len(inputs()) == 2)
        # The second one waits for the first, and then has nothing to make.
        ends = ["SUCCEEDED", "SKIPPED"]
        until(lambda: [bake.status for bake in world.records.bakes("small")] == ends, 50)
        apply_file(read_blueprint(write(tmp_path)), world)
        assert scheduler.list_schedules(GroupName="kiln")["Schedules"] == []
