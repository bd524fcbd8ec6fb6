"""One DynamoDB table of JSON documents under two string keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.errors import AwsBusy, AwsRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

Key = tuple[str, str]
_NEW = "attribute_not_exists(PK)"


class Table:
    """Reads are consistent: what a step decides on must not be older than what it did."""

    def __init__(self, dynamodb: DynamoDBClient, name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def get(self, key: Key) -> str | None:
        """A document's JSON."""
        with translated("dynamodb", "GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=_item(key), ConsistentRead=True
            )
        return answer["Item"]["body"]["S"] if "Item" in answer else None

    def put(self, key: Key, body: str, **extra: Any) -> None:
        """Write a document, over the one that is there."""
        with translated("dynamodb", "PutItem"):
            self._dynamodb.put_item(
                TableName=self._name, Item={**_item(key), "body": {"S": body}, **extra}
            )

    def add(self, key: Key, body: str, **extra: Any) -> bool:
        """Write a document where there is none; False where there is one."""
        try:
            with translated("dynamodb", "PutItem"):
                self._dynamodb.put_item(
                    TableName=self._name,
                    Item={**_item(key), "body": {"S": body}, **extra},
                    ConditionExpression=_NEW,
                )
        except AwsRefused as error:
            return _lost(error)
        return True

    def remove(self, key: Key, body: str | None = None) -> None:
        """Delete a document; with `body`, only while it still reads so."""
        condition: dict[str, Any] = {}
        if body is not None:
            condition = {
                "ConditionExpression": "body = :body",
                "ExpressionAttributeValues": {":body": {"S": body}},
            }
        try:
            with translated("dynamodb", "DeleteItem"):
                self._dynamodb.delete_item(TableName=self._name, Key=_item(key), **condition)
        except AwsRefused as error:
            _lost(error)

    def last(self, partition: str, begins: str) -> tuple[str, str] | None:
        """The last sort key of a partition that begins so, with its document."""
        request = self._request(partition, begins) | {"ScanIndexForward": False, "Limit": 1}
        with translated("dynamodb", "Query"):
            found = self._dynamodb.query(**request)["Items"]
        return (found[0]["SK"]["S"], found[0]["body"]["S"]) if found else None

    def query(self, partition: str, begins: str = "") -> Iterator[str]:
        """The documents of a partition in the order of their sort keys."""
        with translated("dynamodb", "Query"):
            request = self._request(partition, begins)
            for page in self._dynamodb.get_paginator("query").paginate(**request):
                yield from (item["body"]["S"] for item in page["Items"])

    def _request(self, partition: str, begins: str) -> Any:
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": "PK = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ConsistentRead": True,
        }
        if begins:
            request["KeyConditionExpression"] += " AND begins_with(SK, :sk)"
            request["ExpressionAttributeValues"][":sk"] = {"S": begins}
        return request

    def replace(self, key: Key, body: str, revision: int) -> bool:
        """Write a document over the one before it; False where somebody else has meanwhile. One
        that was written before its kind had revisions counts as the first."""
        before = str(revision - 1)
        condition = "revision = :before"
        if revision == 1:
            condition = f"attribute_not_exists(revision) OR {condition}"
        try:
            with translated("dynamodb", "PutItem"):
                self._dynamodb.put_item(
                    TableName=self._name,
                    Item={
                        **_item(key),
                        "body": {"S": body},
                        "revision": {"N": str(revision)},
                    },
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":before": {"N": before}},
                )
        except AwsRefused as error:
            return _lost(error)
        return True

    def overwrite(self, key: Key, body: str, revision: int) -> None:
        """As `replace`. AwsBusy where somebody else has written meanwhile."""
        if not self.replace(key, body, revision):
            raise AwsBusy(f"the record {key[1]} changed while it was read; look again")

    def count(self, key: Key, name: str) -> int:
        """Add one to a number of an item, atomically; what it is then."""
        with translated("dynamodb", "UpdateItem"):
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key=_item(key),
                UpdateExpression="ADD #name :one",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"][name]["N"])

    def number(self, key: Key, name: str) -> int:
        """A number of an item, 0 where there is none."""
        with translated("dynamodb", "GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=_item(key), ConsistentRead=True
            )
        return int(answer.get("Item", {}).get(name, {}).get("N", "0"))

    def hold(self, key: Key, holder: str, instead_of: str | None = None) -> bool:
        """Take an item for oneself, from nobody or from one that is named; False where another has
        it."""
        return self.change_if(
            key,
            "SET holder = :holder",
            "attribute_not_exists(holder) OR holder IN (:holder, :other)",
            {":holder": {"S": holder}, ":other": {"S": instead_of or holder}},
        )

    def holder(self, key: Key) -> str | None:
        """Who has an item."""
        with translated("dynamodb", "GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=_item(key), ConsistentRead=True
            )
        return answer.get("Item", {}).get("holder", {}).get("S")

    def free(self, key: Key, holder: str, **numbers: int) -> bool:
        """Let go of an item, if its numbers are still what one believes, 0 for one that it has not;
        False where they are not."""
        condition = " AND ".join(("holder = :holder", *map(_is, numbers, numbers.values())))
        values: dict[str, Any] = {f":{name}": {"N": str(n)} for name, n in numbers.items()}
        return self.change_if(key, "REMOVE holder", condition, {":holder": {"S": holder}, **values})

    def attributes(self, key: Key) -> dict[str, Any]:
        """All attributes of an item in DynamoDB's own form, none where there is no item."""
        with translated("dynamodb", "GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=_item(key), ConsistentRead=True
            )
        return dict(answer.get("Item", {}))

    def change_if(
        self,
        key: Key,
        change: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> bool:
        """Change an item if a condition holds, in one write; False where it does not."""
        more: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        try:
            with translated("dynamodb", "UpdateItem"):
                self._dynamodb.update_item(
                    TableName=self._name,
                    Key=_item(key),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    **more,
                )
        except AwsRefused as error:
            return _lost(error)
        return True

    def stamp(self, key: Key, at: int, before: int) -> bool:
        """Write a time over one that is no later than `before`, or where none is."""
        return self.change_if(
            key,
            "SET stamped = :at",
            "attribute_not_exists(stamped) OR stamped <= :before",
            {":at": {"N": str(at)}, ":before": {"N": str(before)}},
        )

    def advance(self, key: Key, by: int, after: int) -> int | None:
        """Move a time on that is later than `after`: what it was before; None, and nothing moved,
        where it is not, or where none is."""
        try:
            with translated("dynamodb", "UpdateItem"):
                answer = self._dynamodb.update_item(
                    TableName=self._name,
                    Key=_item(key),
                    UpdateExpression="ADD stamped :by",
                    ConditionExpression="stamped > :after",
                    ExpressionAttributeValues={":by": {"N": str(by)}, ":after": {"N": str(after)}},
                    ReturnValues="UPDATED_NEW",
                )
        except AwsRefused as error:
            _lost(error)
            return None
        return int(answer["Attributes"]["stamped"]["N"]) - by

    def change_set(self, key: Key, verb: str, member: str) -> None:
        """ADD a member to the string set of an item, or DELETE it: both atomic in DynamoDB."""
        with translated("dynamodb", "UpdateItem"):
            self._dynamodb.update_item(
                TableName=self._name,
                Key=_item(key),
                UpdateExpression=f"{verb} members :member",
                ExpressionAttributeValues={":member": {"SS": [member]}},
            )

    def read_set(self, key: Key) -> set[str]:
        """The string set of an item."""
        with translated("dynamodb", "GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=_item(key), ConsistentRead=True
            )
        return set(answer.get("Item", {}).get("members", {}).get("SS", ()))


def _item(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key[0]}, "SK": {"S": key[1]}}


def _lost(error: AwsRefused) -> bool:
    """False for a condition that did not hold; any other refusal goes on."""
    if error.code != "ConditionalCheckFailedException":
        raise error
    return False


def _is(name: str, number: int) -> str:
    """A condition on a number, which is 0 until it has been counted."""
    return f"{name} = :{name}" if number else f"({name} = :{name} OR attribute_not_exists({name}))"
