"""Kiln's own stack: there, whole, of this version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kiln.errors import AwsRefused
from kiln_cli.doctor.site import Deployment
from kiln_cli.doctor.stack import NEEDED, look, parameters, version
from tests.examined import mends
from tests.stubs import scripted


def a_stack(status: str, **outputs: str) -> dict[str, Any]:
    """DescribeStacks's answer."""
    told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    given = [{"ParameterKey": "MaxBakes", "ParameterValue": "10"}]
    row = {
        "StackName": "kiln",
        "CreationTime": datetime(2026, 11, 1, tzinfo=UTC),
        "StackStatus": status,
        "Outputs": told,
        "Parameters": given,
    }
    return {"Stacks": [row]}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATE_COMPLETE", "well"),
        ("UPDATE_COMPLETE", "well"),
        ("UPDATE_IN_PROGRESS", "note"),
        ("UPDATE_ROLLBACK_COMPLETE", "note"),
        ("UPDATE_ROLLBACK_FAILED", "broken"),
        ("ROLLBACK_COMPLETE", "broken"),
        ("DELETE_FAILED", "broken"),
    ],
)
def test_a_stack_is_judged_by_its_status(status: str, state: str) -> None:
    with scripted("cloudformation") as cloudformation:
        cloudformation.answer("describe_stacks", a_stack(status, BakeStateMachineArn="arn"))
        deployment, finding = look(cloudformation.client, "kiln")
    assert finding.state == state
    assert deployment == Deployment("kiln", {"BakeStateMachineArn": "arn"}, {"MaxBakes": "10"})
    mends(finding)


def test_a_stack_of_another_kind_is_not_looked_into() -> None:
    with scripted("cloudformation") as cloudformation:
        cloudformation.answer("describe_stacks", a_stack("CREATE_COMPLETE"))
        deployment, finding = look(cloudformation.client, "kiln")
    assert deployment is None
    assert "no output BakeStateMachineArn" in finding.what


def test_where_nothing_is_deployed_that_is_the_next_thing_to_do() -> None:
    with scripted("cloudformation") as cloudformation:
        cloudformation.stubber.add_client_error(
            "describe_stacks", "ValidationError", "Stack with id kiln does not exist"
        )
        deployment, finding = look(cloudformation.client, "kiln")
    assert deployment is None
    assert (finding.state, finding.mend) == ("broken", "make deploy")


def test_a_refusal_is_not_taken_for_a_stack_that_is_not_there() -> None:
    with scripted("cloudformation") as cloudformation:
        cloudformation.refuse("describe_stacks", "AccessDenied", 403)
        with pytest.raises(AwsRefused, match="AccessDenied"):
            look(cloudformation.client, "kiln")


@pytest.mark.parametrize(
    ("deployed", "state", "mend"),
    [
        ("1.2.0", "well", None),
        ("1.1.9", "note", "make deploy"),
        ("1.10.0", "note", "git pull && make setup"),
    ],
)
def test_the_template_is_of_the_version_of_the_command(
    deployed: str, state: str, mend: str | None
) -> None:
    outputs = dict.fromkeys(NEEDED, "x") | {"Version": deployed}
    (finding,) = version(Deployment("kiln", outputs), "1.2.0")
    assert (finding.state, finding.mend) == (state, mend)


def test_a_template_that_lacks_what_commands_read_is_broken() -> None:
    outputs = dict.fromkeys(NEEDED[1:], "x") | {"Version": "1.2.0"}
    (finding,) = version(Deployment("kiln", outputs), "1.2.0")
    assert finding.state == "broken"
    assert finding.what == f"stack kiln is of version 1.2.0 and lacks {NEEDED[0]}"


def test_a_vpc_without_subnets_is_seen() -> None:
    (finding,) = parameters({"VpcId": "vpc-1", "SubnetIds": ""})
    assert (finding.about, finding.state) == ("SubnetIds", "broken")
    assert not list(parameters({"VpcId": "vpc-1", "SubnetIds": "subnet-1"}))
    assert not list(parameters({}))
