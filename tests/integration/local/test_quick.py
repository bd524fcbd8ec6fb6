"""What moto finds out once is what it found out each time."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from kiln_local import quick
from kiln_local.patches import Patches

CALLS = (
    ("ec2", "describe_images", {"Owners": ["amazon"]}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_instance_types", {"InstanceTypes": ["m5.large"]}),
    ("ssm", "describe_parameters", {}),
    ("dynamodb", "list_tables", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("sqs", "list_queues", {}),
    ("autoscaling", "describe_auto_scaling_groups", {}),
)


def answered() -> list[Any]:
    """What each service answers, twice; without what is new each time."""
    found = []
    for service, operation, given in (*CALLS, *CALLS):
        client = boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]
        answer = getattr(client, operation)(**given)
        answer.pop("ResponseMetadata")
        found.append(answer)
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_no_answer_changes(times: int) -> None:
    with mock_aws():
        before, patches = answered(), Patches()
        for _ in range(times):
            quick.connect(patches)
        try:
            now = answered()
        finally:
            patches.undo()
        assert now == before == answered()
