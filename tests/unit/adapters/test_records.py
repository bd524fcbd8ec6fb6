"""What the table is told in which order, so that a crash in between loses nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from kiln.adapters.records import DynamoRecords
from kiln.domain.waiting import ImageAvailable, WaitingToken
from kiln.errors import AwsBusy
from tests.builders import BAKE, NOW, a_document
from tests.fakes import FakeClock
from tests.stubs import Script, scripted

NAME = {
    "TableName": "kiln",
    "Item": {
        "PK": {"S": "CATALOGUE"},
        "SK": {"S": "BLUEPRINT#web"},
        "body": {"S": "web"},
    },
}
VERSION = {
    "TableName": "kiln",
    "Item": {
        "PK": {"S": "BLUEPRINT#web"},
        "SK": {"S": "VERSION#00000001"},
        "body": {"S": json.dumps(a_document())},
    },
    "ConditionExpression": "attribute_not_exists(PK)",
}


def some_records(dynamodb: Script) -> DynamoRecords:
    return DynamoRecords(dynamodb.client, "kiln", FakeClock())


def test_a_blueprints_name_is_listed_before_its_first_version() -> None:
    """The other way round, a crash would leave a version under a name that nobody lists, and the
    repeated call would find the version and write nothing."""
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("query", {"Items": []})
        dynamodb.answer("put_item", {}, NAME)
        dynamodb.answer("put_item", {}, VERSION)
        assert some_records(dynamodb).put_blueprint("web", a_document()) == 1


def test_of_two_who_store_a_blueprint_at_once_one_tries_again() -> None:
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("query", {"Items": []})
        dynamodb.answer("put_item", {}, NAME)
        dynamodb.refuse("put_item", "ConditionalCheckFailedException")
        with pytest.raises(AwsBusy, match="web got version 1 from somebody else"):
            some_records(dynamodb).put_blueprint("web", a_document())


def test_a_waiting_token_goes_by_itself_long_after_its_wait() -> None:
    """DynamoDB's TTL reads seconds since 1970 from a number."""
    wait = ImageAvailable(
        kind="image-available", image="ami-1", bake=BAKE, since=NOW.isoformat(), timeout_s=1
    )
    token = WaitingToken(wait=wait, state="PollImage", token="t")
    request = {
        "TableName": "kiln",
        "Item": {
            "PK": {"S": "WAIT#ami-1"},
            "SK": {"S": f"{BAKE}#PollImage"},
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
