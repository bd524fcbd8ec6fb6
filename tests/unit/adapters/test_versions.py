"""What the table is told in which order, so that a crash in between hides no version."""

from __future__ import annotations

from kiln.adapters.versions import DynamoVersions
from tests.builders import a_version
from tests.stubs import scripted

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
        "SK": {"S": "VERSION#00000007"},
        "body": {"S": a_version(7).model_dump_json()},
    },
    "ConditionExpression": "attribute_not_exists(PK)",
}


def test_a_blueprints_name_is_listed_before_its_version() -> None:
    """The other way round, a crash would leave a version under a name that nobody lists, and the
    repeated call would find the version and write nothing."""
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("put_item", {}, NAME)
        dynamodb.answer("put_item", {}, VERSION)
        assert DynamoVersions(dynamodb.client, "kiln").add(a_version(7))


def test_a_number_that_is_taken_is_not_written_over() -> None:
    with scripted("dynamodb") as dynamodb:
        dynamodb.answer("put_item", {}, NAME)
        dynamodb.refuse("put_item", "ConditionalCheckFailedException")
        assert not DynamoVersions(dynamodb.client, "kiln").add(a_version(7))
