"""A launch is checked against everything that it touches and makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.local.allowing import (
    ACCOUNT,
    EC2,
    OURS,
    PROFILE,
    REQUESTED,
    a_tester,
    allowed,
    refusal,
)
from tests.integration.local.worlds import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for the tests below."""
    with a_tester() as world:
        yield world


LAUNCH = {
    "InstanceType": "m7i.large",
    "MinCount": 1,
    "MaxCount": 1,
    "IamInstanceProfile": {"Name": "builders"},
    "MetadataOptions": {"HttpTokens": "required"},
    "TagSpecifications": [
        {"ResourceType": kind, "Tags": OURS} for kind in ("instance", "volume", "network-interface")
    ],
}
MAY_LAUNCH: tuple[dict[str, Any], ...] = (
    {"Action": "ec2:RunInstances", "Resource": [f"{EC2}subnet/*", f"{EC2}security-group/*"]},
    {"Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:eu-west-1::image/*"},
    {
        "Action": "ec2:RunInstances",
        "Resource": [f"{EC2}volume/*", f"{EC2}network-interface/*"],
        "Condition": REQUESTED,
    },
    {
        "Action": "ec2:RunInstances",
        "Resource": f"{EC2}instance/*",
        "Condition": {
            "StringEquals": {
                "aws:RequestTag/kiln:managed": "true",
                "ec2:MetadataHttpTokens": "required",
            },
            "ArnLike": {"ec2:InstanceProfile": PROFILE},
        },
    },
    {
        "Action": "ec2:CreateTags",
        "Resource": f"{EC2}*/*",
        "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances"}},
    },
    {
        "Action": "iam:PassRole",
        "Resource": f"arn:aws:iam::{ACCOUNT}:role/builders",
        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
    },
)


def test_a_launch_as_the_policy_wants_it_passes(world: World) -> None:
    image, launch = world.base, world.ec2.run_instances
    with allowed(world, *MAY_LAUNCH):
        assert not refusal(launch, ImageId=image, **LAUNCH)


@pytest.mark.parametrize(
    ("change", "action", "resource"),
    [
        ({"TagSpecifications": LAUNCH["TagSpecifications"][:1]}, "RunInstances", "network"),  # type: ignore[index]
        ({"TagSpecifications": []}, "RunInstances", "instance/*"),
        ({"MetadataOptions": {"HttpTokens": "optional"}}, "RunInstances", "instance/*"),
        ({"MetadataOptions": {}}, "RunInstances", "instance/*"),
        ({"IamInstanceProfile": {"Name": "admins"}}, "RunInstances", "instance/*"),
        ({"IamInstanceProfile": {}}, "RunInstances", "instance/*"),
        ({"KeyName": "mine"}, "RunInstances", "key-pair/mine"),
    ],
)
def test_another_launch_is_refused(
    world: World, change: dict[str, Any], action: str, resource: str
) -> None:
    image, launch = world.base, world.ec2.run_instances
    with allowed(world, *MAY_LAUNCH):
        said = refusal(launch, ImageId=image, **(LAUNCH | change))
    assert f"ec2:{action} on resource: " in said
    assert resource in said


@pytest.mark.parametrize("without", range(len(MAY_LAUNCH)))
def test_a_launch_needs_each_of_its_statements(world: World, without: int) -> None:
    image, launch = world.base, world.ec2.run_instances
    left = [one for index, one in enumerate(MAY_LAUNCH) if index != without]
    with allowed(world, *left):
        assert refusal(launch, ImageId=image, **LAUNCH)
