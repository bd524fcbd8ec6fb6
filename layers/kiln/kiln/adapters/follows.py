"""What was baked for which base image, in the same table as everything else.

what               PK                SK
last bake          BLUEPRINT#name    FOLLOW#ami
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Key, Table
from kiln.domain.following import Follow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoFollows:
    """`Follows` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def last(self, blueprint: str, base: str) -> Follow | None:
        """The last bake for a base image."""
        body = self._table.get(_key(blueprint, base))
        return Follow.model_validate_json(body) if body else None

    def put(self, follow: Follow) -> bool:
        """Write the next one."""
        key, body = _key(follow.blueprint, follow.base), follow.model_dump_json()
        if follow.number > 1:
            return self._table.replace(key, body, follow.number)
        return self._table.add(key, body, revision={"N": str(follow.number)})


def _key(blueprint: str, base: str) -> Key:
    return f"BLUEPRINT#{blueprint}", f"FOLLOW#{base}"
