"""Executions: what the port promises, kept by the fake and by the adapter on moto alike.

Waiting tasks need an interpreter: their tokens are tested end to end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kiln.adapters.machines import StepFunctionsMachines
from kiln.ports import Machines
from tests.fakes import FakeMachines
from tests.moto_clients import mock_aws, moto_client


@pytest.fixture(params=["fake", "moto"])
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    if request.param == "fake":
        yield FakeMachines()
        return
    with mock_aws():
        states = moto_client("stepfunctions")
        machine = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        made = states.create_state_machine(
            name="kiln-rollout",
            definition=json.dumps(machine),
            roleArn="arn:aws:iam::123456789012:role/kiln",
        )
        yield StepFunctionsMachines(states, {"rollout": made["stateMachineArn"]})


def test_an_execution_of_another_input_does_not_start_under_a_name_that_is_taken(
    machines: Machines,
) -> None:
    assert not machines.running("rollout", "r")
    assert machines.start("rollout", "r", {"image": "ami-1"})
    assert not machines.start("rollout", "r", {"image": "ami-2"})
    assert machines.start("rollout", "r2", {"image": "ami-2"})


def test_an_execution_is_told_with_what_it_was_given(machines: Machines) -> None:
    assert machines.look("rollout", "r") is None
    given = {"image": "ami-1", "stopped": {"of": "q"}}
    machines.start("rollout", "r", given)
    found = machines.look("rollout", "r")
    assert found is not None
    assert found.given == given
