"""The template's own schedule, in the local AWS."""

from __future__ import annotations

import json

import pytest

from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, SPEED
from tests.integration.local.worlds import until

pytestmark = pytest.mark.long


def test_a_bake_begins_on_the_schedule_of_the_template() -> None:
    """A schedule by rate begins as soon as it is made."""
    parameters = {"Schedule": "rate(1 day)", "ScheduledBlueprint": "nightly"}
    with LocalAws(ROOT, speed=SPEED, parameters=parameters) as aws:
        client = aws.session().client("stepfunctions")
        machine = aws.outputs["BakeStateMachineArn"]
        runs = until(lambda: client.list_executions(stateMachineArn=machine)["executions"])
        told = client.describe_execution(executionArn=runs[0]["executionArn"])
        assert json.loads(told["input"]) == {"blueprint": "nightly"}
        name = runs[0]["executionArn"]
        until(lambda: client.describe_execution(executionArn=name)["status"] == "FAILED")
        assert "nightly" in client.describe_execution(executionArn=name)["cause"]
