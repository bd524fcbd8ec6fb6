"""boto3 clients for tests on moto, made once: reading a service's model takes longer than a test.

moto hooks into every client that is made after its import, so it is imported first and here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from moto import mock_aws

__all__ = ["a_table", "mock_aws", "moto_client"]


@cache
def moto_client(service: str) -> Any:
    """A client that answers from moto while `mock_aws` is on, and must not be used otherwise."""
    return boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]


def a_table() -> Any:
    """A client of DynamoDB, with Kiln's table made: `kiln`."""
    client = moto_client("dynamodb")
    keys = [("PK", "HASH"), ("SK", "RANGE")]
    client.create_table(
        TableName="kiln",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
    )
    return client
