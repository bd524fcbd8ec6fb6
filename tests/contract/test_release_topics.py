"""The subscriptions of the template: which there are in a Region, and who may call for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln_local.template import Made, Resolver, read
from tests.notices import TOPICS

TEMPLATE = read(Path(__file__).parents[2] / "template.yaml")
GOVCLOUD = "arn:aws-us-gov:sns:us-gov-west-1:077303321853:ec2-windows-ami-update"


def resolved(region: str, partition: str = "aws", **parameters: str) -> dict[str, list[Any]]:
    """The resources that are made there, resolved, by type; and what the function listens to."""
    pseudo = {"AWS::Region": region, "AWS::Partition": partition}
    resolver = Resolver(TEMPLATE, parameters, pseudo)
    resolver.known["FollowBasesFunction"] = Made("follow", Arn=f"arn:{partition}:lambda:follow")
    found: dict[str, list[Any]] = {"AWS::SNS::Subscription": [], "AWS::Lambda::Permission": []}
    for resource in TEMPLATE["Resources"].values():
        if resource["Type"] in found and resolver.condition(resource["Condition"]):
            found[resource["Type"]].append(resolver.value(resource["Properties"]))
    function = TEMPLATE["Resources"]["FollowBasesFunction"]["Properties"]
    told = resolver.value(function["Environment"]["Variables"]["KILN_RELEASE_TOPICS"])
    return found | {"topics": [topic for topic in told.split(",") if topic]}


@pytest.mark.parametrize(
    ("region", "principal"),
    [
        ("us-east-1", "sns.amazonaws.com"),
        ("eu-north-1", "sns.amazonaws.com"),
        ("eu-south-1", "sns.eu-south-1.amazonaws.com"),
        ("ap-northeast-3", "sns.ap-northeast-3.amazonaws.com"),
        ("mx-central-1", "sns.mx-central-1.amazonaws.com"),
    ],
)
def test_every_region_subscribes_in_that_of_the_topics(region: str, principal: str) -> None:
    found = resolved(region)
    assert {(s["TopicArn"], s["Region"]) for s in found["AWS::SNS::Subscription"]} == {
        (topic, "us-east-1") for topic in TOPICS
    }
    assert {(p["SourceArn"], p["Principal"]) for p in found["AWS::Lambda::Permission"]} == {
        (topic, principal) for topic in TOPICS
    }
    assert found["topics"] == list(TOPICS)


def test_govcloud_has_a_topic_of_its_own_and_china_none() -> None:
    there = resolved("us-gov-east-1", "aws-us-gov")
    (subscription,) = there["AWS::SNS::Subscription"]
    assert (subscription["TopicArn"], subscription["Region"]) == (GOVCLOUD, "us-gov-west-1")
    assert there["topics"] == [GOVCLOUD]
    assert not any(resolved("cn-north-1", "aws-cn").values())


def test_who_turns_notices_off_has_no_subscription_and_believes_none() -> None:
    for region, partition in (("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov")):
        assert not any(resolved(region, partition, ReleaseNotices="off").values())
