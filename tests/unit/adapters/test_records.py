"""What the table is told in which order, so that a crash in between loses nothing."""

from __future__ import annotations

from kiln.adapters.records import DynamoRecords
from tests.stubs import Script, scripted


def some_records(dynamodb: Script) -> DynamoRecords:
    return DynamoRecords(dynamodb.client, "kiln")


def test_a_claim_that_was_lost_gives_the_first_writers_value() -> None:
    with scripted("dynamodb") as dynamodb:
        dynamodb.refuse("put_item", "ConditionalCheckFailedException")
        dynamodb.answer("get_item", {"Item": {"body": {"S": "first"}}})
        assert some_records(dynamodb).claim("k", "second") == "first"
