"""What the local AWS does for moto answers as moto itself would."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ec2.models.tags import TagBackend

from kiln_local import economies
from kiln_local.patches import Patches

TAGS = {"i-1": {"Name": "one", "team": "shop"}, "i-10": {"Name": "ten"}, "vol-1": {"Name": "one"}}
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


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {"resource-id": ["i-1"]},
        {"resource-id": ["i-1", "vol-1", "i-none"]},
        {"resource-id": ["i-1*"]},
        {"resource-id": ["i-1"], "key": ["Name"]},
        {"resource-id": ["vol-1", "i-1"], "resource-type": ["volume"]},
        {"value": ["one"]},
    ],
)
def test_tags_are_found_as_moto_finds_them(filters: Any) -> None:
    backend, patches = TagBackend(), Patches()
    backend.tags.update(TAGS)
    expected = backend.describe_tags(filters)
    economies.connect(patches)
    try:
        found = backend.describe_tags(filters)
    finally:
        patches.undo()
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert backend.tags == TAGS


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
def test_no_answer_of_a_service_changes(times: int) -> None:
    with mock_aws():
        before, patches = answered(), Patches()
        for _ in range(times):
            economies.connect(patches)
        try:
            now = answered()
        finally:
            patches.undo()
        assert now == before == answered()
