"""Paused blueprints and rows of failures, in the same table as everything else.

what             PK                SK
pause            BLUEPRINT#name    PAUSE
row of failures  BLUEPRINT#name    FAILED#00000007    (its version; string set)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.pausing import Pause

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoPauses:
    """`Pauses` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def paused(self, blueprint: str) -> Pause | None:
        """A pause."""
        body = self._table.get((f"BLUEPRINT#{blueprint}", "PAUSE"))
        return Pause.model_validate_json(body) if body else None

    def pause(self, blueprint: str, pause: Pause) -> None:
        """Store a pause."""
        self._table.put((f"BLUEPRINT#{blueprint}", "PAUSE"), pause.model_dump_json())

    def lift(self, blueprint: str) -> None:
        """Remove a pause."""
        self._table.remove((f"BLUEPRINT#{blueprint}", "PAUSE"))

    def failed(self, blueprint: str, version: int, bake: str) -> tuple[str, ...]:
        """Add to a row: a set, so that a bake which is torn down twice has failed once."""
        key = _row(blueprint, version)
        self._table.change_set(key, "ADD", bake)
        return tuple(sorted(self._table.read_set(key)))

    def clear(self, blueprint: str, version: int) -> None:
        """Begin a row anew."""
        self._table.remove(_row(blueprint, version))


def _row(blueprint: str, version: int) -> tuple[str, str]:
    return f"BLUEPRINT#{blueprint}", f"FAILED#{version:08d}"
