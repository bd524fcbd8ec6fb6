"""What is kept is encrypted by the user's own key where there is one, and what fails is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln_local.template import expand, read

ROOT = Path(__file__).parents[2]
RESOURCES = expand(read(ROOT / "template.yaml"), "eu-west-1")["Resources"]
OWN_KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
# Where a resource's key is named. The parts of an instance-store image are what EC2 reads without a
# key.
KEYS = {
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::S3::Bucket": (
        *("BucketEncryption", "ServerSideEncryptionConfiguration", 0),
        *("ServerSideEncryptionByDefault", "KMSMasterKeyID"),
    ),
}
KEEPING = [
    name for name, one in RESOURCES.items() if one["Type"] in KEYS and name != "BundlesBucket"
]


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What lies at a path."""
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("name", KEEPING)
def test_what_keeps_something_takes_the_users_key(name: str) -> None:
    resource = RESOURCES[name]
    assert at(resource["Properties"], KEYS[resource["Type"]]) == OWN_KEY


def test_there_is_one_of_each_kind_that_keeps_something() -> None:
    assert {RESOURCES[name]["Type"] for name in KEEPING} == set(KEYS)


def invoked_by_events() -> set[str]:
    """The functions that a rule, a topic or a schedule may invoke: asynchronously, all of them. An
    event that only warms a function is none to be kept."""
    permissions = (
        r
        for name, r in RESOURCES.items()
        if r["Type"] == "AWS::Lambda::Permission" and "BakeBegins" not in name
    )
    return {at(one["Properties"], ("FunctionName", "Ref")) for one in permissions}


def test_what_a_function_could_not_do_with_an_event_is_kept() -> None:
    configured = {
        at(one["Properties"], ("FunctionName", "Ref")): at(
            one["Properties"], ("DestinationConfig", "OnFailure", "Destination")
        )
        for one in RESOURCES.values()
        if one["Type"] == "AWS::Lambda::EventInvokeConfig"
    }
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert invoked_by_events()
    assert configured == dict.fromkeys(invoked_by_events() | set(configured), queue)
