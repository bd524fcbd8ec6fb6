"""Makes who may do what: roles, profiles, the policies of buckets, queues, buses and functions.
Makers as in `makers.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln_local.iam.facts import backend
from kiln_local.template import Made

if TYPE_CHECKING:
    from kiln_local.makers import Stack

Properties = dict[str, Any]


def make_bucket_policy(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::S3::BucketPolicy."""
    stack.client("s3").put_bucket_policy(Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"]))
    return Made(name)


def make_queue_policy(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::SQS::QueuePolicy."""
    for url in p["Queues"]:
        stack.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(p["PolicyDocument"])}
        )
    return Made(name)


def make_role(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::IAM::Role, with its own policies, and those of AWS's that are known here."""
    client, role = stack.client("iam"), stack.physical(name)
    answer = client.create_role(
        RoleName=role, AssumeRolePolicyDocument=json.dumps(p["AssumeRolePolicyDocument"])
    )
    for policy in p.get("Policies", ()):
        client.put_role_policy(
            RoleName=role,
            PolicyName=policy["PolicyName"],
            # What SAM makes for a destination names no version, which moto does not take.
            PolicyDocument=json.dumps({"Version": "2012-10-17", **policy["PolicyDocument"]}),
        )
    known = backend("iam", stack.account, "aws").managed_policies
    for arn in p.get("ManagedPolicyArns", ()):
        if arn in known:
            client.attach_role_policy(RoleName=role, PolicyArn=arn)
    return Made(role, Arn=answer["Role"]["Arn"], RoleId=answer["Role"]["RoleId"])


def make_profile(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::IAM::InstanceProfile."""
    client, profile = stack.client("iam"), stack.physical(name)
    answer = client.create_instance_profile(InstanceProfileName=profile)
    for role in p["Roles"]:
        client.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    return Made(profile, Arn=answer["InstanceProfile"]["Arn"])


def make_permission(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::Lambda::Permission."""
    stack.client("lambda").add_permission(StatementId=name, **p)
    return Made(name)


def make_bus_policy(stack: Stack, name: str, p: Properties) -> Made:
    """AWS::Events::EventBusPolicy: one statement more of a bus's policy."""
    client = stack.client("events")
    bus = p.get("EventBusName", "default")
    text = client.describe_event_bus(Name=bus).get("Policy")
    statements = json.loads(text)["Statement"] if text else []
    statements.append({"Sid": p["StatementId"], **p["Statement"]})
    document = {"Version": "2012-10-17", "Statement": statements}
    client.put_permission(EventBusName=bus, Policy=json.dumps(document))
    return Made(name)
