"""What the table is told of those that wait."""

from __future__ import annotations

from datetime import timedelta

from kiln.adapters.waits import DynamoWaits
from kiln.domain.waiting import ImageAvailable, WaitingToken
from tests.builders import BAKE, NOW
from tests.fakes import FakeClock
from tests.stubs import scripted


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
        DynamoWaits(dynamodb.client, "kiln", FakeClock()).keep("ami-1", token)
