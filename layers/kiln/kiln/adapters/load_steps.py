"""Steps of layers that are scaled by load, in the same table as everything else.

what               PK                SK
last step          STACK#name        LOAD#layer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Key, Table
from kiln.domain.load import LoadStep
from kiln.domain.stack import split_layer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLoadSteps:
    """`LoadSteps` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def last(self, layer: str) -> LoadStep | None:
        """A layer's last step."""
        body = self._table.get(_key(layer))
        return LoadStep.model_validate_json(body) if body else None

    def put(self, step: LoadStep) -> bool:
        """Write a layer's next step."""
        key, body = _key(step.layer), step.model_dump_json()
        if step.number > 1:
            return self._table.replace(key, body, step.number)
        return self._table.add(key, body, revision={"N": str(step.number)})


def _key(layer: str) -> Key:
    stack, name = split_layer(layer)
    return f"STACK#{stack}", f"LOAD#{name}"
