"""EC2's token buckets in the local AWS: what a client is answered, and what its retries do."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.local.trouble import in_trouble

GONE = {"InstanceIds": ["i-0123456789abcdef0"]}
ONCE = Config(retries={"total_max_attempts": 1})


def code_of(client: object) -> tuple[str, int]:
    """What StartInstances of an instance that is not there is answered."""
    with pytest.raises(ClientError) as told:
        client.start_instances(**GONE)  # type: ignore[attr-defined]
    response = told.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_empty_bucket_refuses_and_other_actions_go_on() -> None:
    # So slow that nothing is filled while the test runs.
    with in_trouble(speed=0.001, throttle=True) as trouble:
        client = trouble.aws.session().client("ec2", config=ONCE)
        found = [code_of(client) for _ in range(7)]
        assert found[:5] == [("InvalidInstanceID.NotFound", 400)] * 5
        assert found[5:] == [("RequestLimitExceeded", 503)] * 2
        client.describe_instances(MaxResults=5)
        elsewhere = trouble.aws.session().client("ec2", config=ONCE, region_name="us-east-1")
        assert code_of(elsewhere)[0] == "InvalidInstanceID.NotFound"
        assert trouble.aws.buckets.refused == {"ec2:StartInstances": 2}


def test_retries_wait_in_the_time_in_which_buckets_fill() -> None:
    retries = Config(retries={"mode": "adaptive", "max_attempts": 6})
    with in_trouble(speed=20, throttle=True) as trouble:
        buckets, clock = trouble.aws.buckets, trouble.aws.clock
        client = boto3.client("ec2", region_name="eu-west-1", config=retries)
        before = clock.seconds()
        codes = [code_of(client)[0] for _ in range(30)]
        assert set(codes) == {"InvalidInstanceID.NotFound"}
        # What has passed is never more than the bucket gave in that time.
        assert 5 + 2 * (clock.seconds() - before) + 1 >= 30
        assert sum(buckets.refused.values()) <= 30 * 6


def test_without_throttle_no_bucket_is_asked() -> None:
    with in_trouble(speed=0.001) as trouble:
        client = trouble.aws.session().client("ec2", config=ONCE)
        assert {code_of(client)[0] for _ in range(9)} == {"InvalidInstanceID.NotFound"}
