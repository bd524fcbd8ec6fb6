"""How the table is asked: consistently, under conditions, and never past a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.adapters._table import Table
from kiln.errors import AwsBusy, AwsRefused
from tests.stubs import scripted

KEY = ("BLUEPRINT#web", "BAKE#1")
ITEM = {"PK": {"S": KEY[0]}, "SK": {"S": KEY[1]}}


def test_every_read_is_consistent() -> None:
    """A step decides on what it reads; an eventually consistent read may be older than its own
    write."""
    with scripted("dynamodb") as dynamodb:
        table = Table(dynamodb.client, "kiln")
        get = {"TableName": "kiln", "Key": ITEM, "ConsistentRead": True}
        dynamodb.answer("get_item", {}, get)
        dynamodb.answer("get_item", {}, get)
        assert table.get(KEY) is None
        assert table.read_set(KEY) == set()
        query: dict[str, Any] = {
            "TableName": "kiln",
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :sk)",
            "ExpressionAttributeValues": {":pk": {"S": KEY[0]}, ":sk": {"S": "BAKE#"}},
            "ConsistentRead": True,
        }
        dynamodb.answer("query", {"Items": []}, query | {"ScanIndexForward": False, "Limit": 1})
        assert table.last(KEY[0], "BAKE#") is None
        dynamodb.answer("query", {"Items": []}, query)
        assert list(table.query(KEY[0], "BAKE#")) == []


def test_a_partition_is_read_over_all_its_pages() -> None:
    items = [{**ITEM, "body": {"S": text}} for text in ("one", "two")]
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("query", {"Items": items[:1], "LastEvaluatedKey": ITEM})
        dynamodb.answer("query", {"Items": items[1:]})
        assert list(Table(dynamodb.client, "kiln").query(KEY[0])) == ["one", "two"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", AwsRefused),
        ("ValidationException", AwsRefused),
        ("ProvisionedThroughputExceededException", AwsBusy),
        ("RequestLimitExceeded", AwsBusy),
        ("InternalServerError", AwsBusy),
    ],
)
def test_only_a_lost_condition_counts_as_lost(code: str, error: type[Exception]) -> None:
    """Codes: DynamoDB Developer Guide, "Error handling with DynamoDB"."""
    with scripted("dynamodb") as dynamodb:
        table = Table(dynamodb.client, "kiln")
        dynamodb.refuse("put_item", code)
        with pytest.raises(error, match=code):
            table.add(KEY, "{}")
        dynamodb.refuse("delete_item", code)
        with pytest.raises(error, match=code):
            table.remove(KEY, "{}")


def test_a_lost_condition_is_an_answer() -> None:
    with scripted("dynamodb") as dynamodb:
        table = Table(dynamodb.client, "kiln")
        dynamodb.refuse("put_item", "ConditionalCheckFailedException")
        assert not table.add(KEY, "{}")
        dynamodb.refuse("delete_item", "ConditionalCheckFailedException")
        table.remove(KEY, "{}")
