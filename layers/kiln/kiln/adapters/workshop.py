"""The bakes that may still be under way, read from the table without those of years."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.bake import BakeRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoWorkshop:
    """`Workshop` on DynamoDB. A bake's id begins with its blueprint and its day, and is the end of
    its sort key."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def lately(self, blueprint: str, now: datetime) -> tuple[BakeRecord, ...]:
        """Two queries, by month."""
        last_month = now.replace(day=1) - timedelta(days=1)
        found = [
            BakeRecord.model_validate_json(body)
            for month in (last_month, now)
            for body in self._table.query(
                f"BLUEPRINT#{blueprint}", f"BAKE#{blueprint}-{month:%Y%m}"
            )
        ]
        return tuple(found)
