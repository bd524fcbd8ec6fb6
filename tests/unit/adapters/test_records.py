"""What the table is told in which order, so that a crash in between loses nothing."""

from __future__ import annotations

from datetime import timedelta

from kiln.adapters.records import DynamoRecords
from kiln.domain.waiting import ImageAvailable, WaitingToken
from tests.builders import BAKE, NOW
from tests.fakes import FakeClock
from tests.stubs import Script, scripted


def some_records(dynamodb: Script) -> DynamoRecords:
    return DynamoRecords(dynamodb.client, "kiln", FakeClock())


def test_a_waiting_token_goes_by_itself_long_after_its_wait() -> None:
    """DynamoDB's TTL reads seconds since 1970 from a number."""
    wait = ImageAvailable(
        kind="image-available", image="ami-1", bake=BAKE, since=NOW.isoformat(), timeout_s=1
    )
    token = WaitingToken(wait=wait, state="PollImage", token="t")
    request = {
        "TableName": "kiln",
        "Item": {
            "PK": {"S": "WAITING#images"},
            "SK": {"S": f"ami-1#{BAKE}#PollImage"},
            "body": {"S": token.model_dump_json()},
            "expires": {"N": str(int((NOW + timedelta(days=31)).timestamp()))},
        },
    }
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("put_item", {}, request)
        some_records(dynamodb).keep_token("ami-1", token)


def test_a_claim_that_was_lost_gives_the_first_writers_value() -> None:
    with scripted("dynamodb") as dynamodb:
        dynamodb.refuse("put_item", "ConditionalCheckFailedException")
        dynamodb.answer("get_item", {"Item": {"body": {"S": "first"}}})
        assert some_records(dynamodb).claim("k", "second") == "first"
