"""A function calls AWS with its role: what that does not allow is refused as AWS refuses it, on the
resources and by the condition keys that AWS has for each operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from kiln_local.recorder import caller
from tests.integration.local.allowing import (
    ACCOUNT,
    EC2,
    FRIEND,
    MANAGED,
    OURS,
    REQUESTED,
    a_tester,
    allowed,
    an_instance,
    refusal,
)
from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import World, open_queue, until


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for the tests below."""
    with a_tester() as world:
        yield world


@pytest.fixture(scope="module")
def managed(world: World) -> str:
    """An instance of Kiln's."""
    return an_instance(world)


def test_a_call_that_no_policy_allows_is_refused_with_its_reason(world: World) -> None:
    ec2 = world.ec2
    with allowed(world, {"Action": "s3:*"}), pytest.raises(ClientError) as refused:
        ec2.describe_instances()
    told = refused.value.response
    assert told["Error"]["Code"] == "UnauthorizedOperation"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert told["Error"]["Message"] == (
        "You are not authorized to perform this operation. User: "
        f"arn:aws:sts::{ACCOUNT}:assumed-role/tester/tester is not authorized to perform: "
        "ec2:DescribeInstances on resource: * because no identity-based policy allows the "
        "ec2:DescribeInstances action"
    )
    assert not refusal(ec2.describe_instances)


def test_a_function_without_a_role_may_do_nothing(world: World) -> None:
    token = caller.set("somebody else")
    try:
        assert "ec2:DescribeInstances" in refusal(world.ec2.describe_instances)
    finally:
        caller.reset(token)


@pytest.mark.parametrize("operation", ["stop_instances", "start_instances", "terminate_instances"])
def test_only_what_carries_the_tag_is_changed(world: World, managed: str, operation: str) -> None:
    change, other = getattr(world.ec2, operation), world.launch()
    action = {"Action": f"ec2:{operation.title().replace('_', '')}", "Condition": MANAGED}
    with allowed(world, action):
        assert f"instance/{other}" in refusal(change, InstanceIds=[other])
        assert f"instance/{other}" in refusal(change, InstanceIds=[managed, other])
        if operation != "terminate_instances":
            assert not refusal(change, InstanceIds=[managed])


def test_a_tag_is_read_when_it_is_asked_for(world: World) -> None:
    stop, instance = world.ec2.stop_instances, world.launch()
    with allowed(world, {"Action": "ec2:StopInstances", "Condition": MANAGED}):
        assert refusal(stop, InstanceIds=[instance])
    world.ec2.create_tags(Resources=[instance], Tags=OURS)
    with allowed(world, {"Action": "ec2:StopInstances", "Condition": MANAGED}):
        assert not refusal(stop, InstanceIds=[instance])


def test_an_image_needs_the_instance_the_image_and_the_snapshot(world: World) -> None:
    managed = an_instance(world)
    until(lambda: world.ping(managed) == "Online")
    create = world.ec2.create_image
    tags = [{"ResourceType": kind, "Tags": OURS} for kind in ("image", "snapshot")]
    instance = {"Action": "ec2:CreateImage", "Resource": f"{EC2}instance/*", "Condition": MANAGED}
    made = {
        "Action": "ec2:CreateImage",
        "Resource": ["arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"],
        "Condition": REQUESTED,
    }
    tagging = {
        "Action": "ec2:CreateTags",
        "Condition": {"StringEquals": {"ec2:CreateAction": "CreateImage"}},
    }
    asked = {"InstanceId": managed, "Name": "made", "TagSpecifications": tags}
    with allowed(world, instance, made, tagging):
        untagged = refusal(create, **(asked | {"TagSpecifications": tags[:1]}))
        assert "on resource: arn:aws:ec2:eu-west-1::snapshot/*" in untagged
        assert not refusal(create, **asked)
    with allowed(world, made, tagging):
        assert f"instance/{managed}" in refusal(create, **asked)
    with allowed(world, instance, made):
        assert "ec2:CreateTags" in refusal(create, **asked)


def test_a_command_needs_its_document_and_the_instance(world: World, managed: str) -> None:
    send, other = world.ssm.send_command, world.launch()
    document = "arn:aws:ssm:eu-west-1::document/AWS-ApplyChefRecipes"
    may = (
        {"Action": "ssm:SendCommand", "Resource": document},
        {"Action": "ssm:SendCommand", "Resource": f"{EC2}instance/*", "Condition": MANAGED},
    )
    with allowed(world, *may):
        here = refusal(send, InstanceIds=[managed], DocumentName="AWS-RunShellScript")
        assert "document/AWS-RunShellScript" in here
        there = refusal(send, InstanceIds=[other], DocumentName="AWS-ApplyChefRecipes")
        assert f"instance/{other}" in there
        assert not refusal(send, InstanceIds=[managed], DocumentName="AWS-ApplyChefRecipes")
        assert "instance/*" in refusal(
            send,
            Targets=[{"Key": "tag:a", "Values": ["b"]}],
            DocumentName="AWS-ApplyChefRecipes",
        )


def test_s3_names_its_actions_otherwise(world: World) -> None:
    s3 = world.client("s3")
    where = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="things", CreateBucketConfiguration=where)
    s3.put_object(Bucket="things", Key="a/b", Body=b"")
    bucket, here = "arn:aws:s3:::things", {"Bucket": "things", "Key": "a/b"}
    with allowed(world, {"Action": "s3:GetObject", "Resource": f"{bucket}/a/*"}):
        assert not refusal(s3.get_object, **here)
        assert not refusal(s3.head_object, **here)
        assert '"arn:aws:s3:::things/c"' in refusal(s3.get_object, Bucket="things", Key="c")
        assert "s3:GetObjectVersion" in refusal(s3.get_object, **here, VersionId="v")
        assert "s3:ListBucket" in refusal(s3.list_objects_v2, Bucket="things")
        # Who may not list is told that it is forbidden, not that it is missing.
        assert "s3:ListBucket" in refusal(s3.get_object, Bucket="things", Key="a/none")
        delete = {"Objects": [{"Key": "a/b"}]}
        assert "s3:DeleteObject" in refusal(s3.delete_objects, Bucket="things", Delete=delete)
    with allowed(world, {"Action": "s3:*", "Resource": [bucket, f"{bucket}/*"]}):
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="things", Key="a/none")
        assert not refusal(s3.list_objects_v2, Bucket="things")


def test_an_address_is_as_good_as_who_signed_it(world: World) -> None:
    s3 = world.client("s3")
    given = {"ClientMethod": "get_object", "Params": {"Bucket": "things", "Key": "signed"}}
    with allowed(world, {"Action": "s3:PutObject"}):
        s3.generate_presigned_url(**given)
    assert ("things", "signed") in world.aws.iam.ledger.unsigned


def test_a_transaction_needs_the_actions_of_its_items(world: World) -> None:
    dynamodb = world.client("dynamodb")
    dynamodb.create_table(
        TableName="items",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    put = {"Put": {"TableName": "items", "Item": {"id": {"S": "a"}}}}
    delete = {"Delete": {"TableName": "items", "Key": {"id": {"S": "b"}}}}
    write = dynamodb.transact_write_items
    with allowed(world, {"Action": "dynamodb:PutItem"}):
        assert not refusal(write, TransactItems=[put])
        said = refusal(write, TransactItems=[put, delete])
        assert f"dynamodb:DeleteItem on resource: arn:aws:dynamodb:eu-west-1:{ACCOUNT}" in said


def test_a_group_is_known_by_its_tags_and_its_template_is_launched_from(world: World) -> None:
    group = Crowd(world, "crowd", 0)
    change = group.api.update_auto_scaling_group
    tagged = {"Action": "autoscaling:UpdateAutoScalingGroup", "Condition": MANAGED}
    launch = {
        "Action": "ec2:RunInstances",
        "Condition": {"ArnLike": {"ec2:LaunchTemplate": f"{EC2}launch-template/*"}},
    }
    asked = {"AutoScalingGroupName": "crowd", "LaunchTemplate": group.at("1")}
    with allowed(world, tagged, launch):
        assert "autoScalingGroupName/crowd" in refusal(change, **asked)
    group.api.create_or_update_tags(
        Tags=[
            {
                "ResourceId": "crowd",
                "ResourceType": "auto-scaling-group",
                "PropagateAtLaunch": False,
                **OURS[0],
            }
        ]
    )
    with allowed(world, tagged):
        assert "ec2:RunInstances" in refusal(change, **asked)
        assert not refusal(change, AutoScalingGroupName="crowd", MaxSize=3)
    with allowed(world, tagged, launch):
        assert not refusal(change, **asked)
    ec2 = world.ec2
    with allowed(world, launch):
        assert refusal(ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1)


def test_an_operation_that_nobody_described_needs_all_of_its_kind(world: World) -> None:
    """SNS has no function of its own: a topic is found by its ARN, what is to be made is `*`."""
    sns = world.client("sns")
    topic = sns.create_topic(Name="mine")["TopicArn"]
    with allowed(world, {"Action": "sns:*", "Resource": topic}):
        assert not refusal(sns.publish, TopicArn=topic, Message="hello")
        assert refusal(sns.publish, TopicArn=f"{topic}s", Message="hello")
        assert refusal(sns.create_topic, Name="another")


def test_a_bucket_that_refuses_refuses_who_may_do_everything(world: World) -> None:
    s3 = world.client("s3")
    where = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="closed", CreateBucketConfiguration=where)
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/tester"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::closed/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    s3.put_bucket_policy(Bucket="closed", Policy=policy)
    with allowed(world, {"Action": "*"}):
        said = refusal(s3.put_object, Bucket="closed", Key="k", Body=b"")
        assert said.endswith("with an explicit deny in a resource-based policy")
        assert not refusal(s3.list_objects_v2, Bucket="closed")


def test_a_role_of_another_account_is_a_session_with_its_own_policies(world: World) -> None:
    theirs, role = iam_backends[FRIEND]["aws"], f"arn:aws:iam::{FRIEND}:role/lent"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/tester"},
        "Action": "sts:AssumeRole",
    }
    theirs.create_role("lent", json.dumps({"Statement": [trust]}), "/", "", "", [], "3600")
    reads = {"Effect": "Allow", "Action": "ec2:DescribeImages", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [reads]}
    theirs.put_role_policy("lent", "reads", json.dumps(document))
    sts = world.client("sts")
    with allowed(world, {"Action": "ec2:*"}):
        assert "sts:AssumeRole" in refusal(sts.assume_role, RoleArn=role, RoleSessionName="test")
    with allowed(world, {"Action": "sts:AssumeRole", "Resource": role}):
        given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session: Any = world.aws.session()
    client = session.client(
        "ec2",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    with allowed(world, {"Action": "ec2:*"}):
        assert not refusal(client.describe_images, Owners=["self"])
        assert f"{FRIEND}:assumed-role/lent/test" in refusal(client.describe_instances)


def test_a_rule_reaches_a_queue_that_lets_it(world: World) -> None:
    sqs, events = world.client("sqs"), world.client("events")
    closed = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:closed"
    sqs.create_queue(QueueName="closed")
    url, open_arn = open_queue(sqs, "open")
    events.put_rule(Name="both", EventPattern=json.dumps({"source": ["tests"]}))
    targets = [{"Id": "1", "Arn": closed}, {"Id": "2", "Arn": open_arn}]
    events.put_targets(Rule="both", Targets=targets)
    events.put_events(Entries=[{"Source": "tests", "DetailType": "t", "Detail": "{}"}])
    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
    assert len(received["Messages"]) == 1
    assert not sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="closed")["QueueUrl"]).get(
        "Messages"
    )
    assert any(closed in refused.text for refused in world.aws.iam.ledger.refused)
