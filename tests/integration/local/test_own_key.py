"""What of the user's own the template takes, made in the local AWS: a key, a bucket for logs."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from kiln_local import makers
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


# tests/contract/test_encryption.py sees the same in the template.
@pytest.mark.long
def test_what_is_kept_is_made_with_the_users_key() -> None:
    with LocalAws(ROOT, parameters={"KmsKeyArn": KEY}) as aws:
        session, out = aws.session(), aws.outputs
        found = session.client("s3").get_bucket_encryption(Bucket=out["BucketName"])
        (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["BucketKeyEnabled"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": KEY,
        }
        table = session.client("dynamodb").describe_table(TableName=out["TableName"])["Table"]
        assert table["SSEDescription"]["KMSMasterKeyArn"] == KEY
        queue = session.client("sqs").get_queue_attributes(
            QueueUrl=out["DeadLettersUrl"], AttributeNames=["KmsMasterKeyId"]
        )
        assert queue["Attributes"]["KmsMasterKeyId"] == KEY


def test_access_is_written_down_where_the_user_says() -> None:
    key = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    properties = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [key]},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]},
        "LoggingConfiguration": {"DestinationBucketName": "own-logs", "LogFilePrefix": "kiln/"},
    }
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        s3 = session.client("s3")
        s3.create_bucket(Bucket="own-logs")
        write = {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": ["s3:PutObject"]}
        statement = {"Effect": "Allow", "Resource": "arn:aws:s3:::own-logs/*", **write}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        s3.put_bucket_policy(Bucket="own-logs", Policy=policy)
        made = makers._bucket(makers.Stack(session, "1", {}, ROOT), "Bucket", properties)
        told = s3.get_bucket_logging(Bucket=made.ref)["LoggingEnabled"]
    assert (told["TargetBucket"], told["TargetPrefix"]) == ("own-logs", "kiln/")
