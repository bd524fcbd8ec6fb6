"""A function whose role allows what a test says, in a local AWS of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from kiln_local.recorder import caller
from tests.integration.local.worlds import World, a_world

ACCOUNT, FRIEND = "123456789012", "210987654321"
OURS = [{"Key": "kiln:managed", "Value": "true"}]
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/builders"
MANAGED = {"StringEquals": {"aws:ResourceTag/kiln:managed": "true"}}
REQUESTED = {"StringEquals": {"aws:RequestTag/kiln:managed": "true"}}
EC2 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:"


@contextmanager
def a_tester() -> Iterator[World]:
    """One local AWS with a role for a function called `tester`, and one for builders."""
    with a_world(speed=600) as world:
        iam = world.client("iam")
        for name in ("tester", "builders"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="builders")
        iam.add_role_to_instance_profile(InstanceProfileName="builders", RoleName="builders")
        world.aws.iam.roles["tester"] = f"arn:aws:iam::{ACCOUNT}:role/tester"
        yield world


def an_instance(world: World) -> str:
    """An instance of Kiln's."""
    return world.launch(TagSpecifications=[{"ResourceType": "instance", "Tags": OURS}])


@contextmanager
def allowed(world: World, *statements: dict[str, Any]) -> Iterator[None]:
    """Run as the function, whose role allows this and nothing else."""
    common = {"Effect": "Allow", "Resource": "*"}
    given = [common | statement for statement in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": given})
    world.client("iam").put_role_policy(
        RoleName="tester", PolicyName="own", PolicyDocument=document
    )
    token = caller.set("tester")
    try:
        yield
    finally:
        caller.reset(token)


def refusal(call: Callable[..., Any], **given: Any) -> str:
    """What AWS says to a call that it refuses; '' where it lets it pass."""
    try:
        call(**given)
    except ClientError as error:
        told = error.response["Error"]
        denied = ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
        return told["Message"] if told["Code"] in denied else ""
    return ""
