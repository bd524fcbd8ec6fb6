"""Rounds of Configure, in the same table as everything else.

what               PK                SK
counter, holder    STACK#name        CONFIGURE              (numbers: asked; holder)
wish               STACK#name        ASK#00000007
round              STACK#name        ROUND#00000003
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.configure import Ask, Round

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRounds:
    """`Rounds` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def next_number(self, stack: str) -> int:
        """Count one wish more."""
        return self._table.count(_place(stack), "asked")

    def asked(self, stack: str) -> int:
        """How many wishes there have been."""
        return self._table.number(_place(stack), "asked")

    def hold(self, stack: str, holder: str, instead_of: str | None = None) -> bool:
        """Take the stack's rounds for oneself."""
        return self._table.hold(_place(stack), holder, instead_of)

    def holder(self, stack: str) -> str | None:
        """Who has them."""
        return self._table.holder(_place(stack))

    def free(self, stack: str, holder: str, covered: int) -> bool:
        """Let go of them, unless more has been asked."""
        return self._table.free(_place(stack), holder, asked=covered)

    def put_ask(self, ask: Ask) -> None:
        """Store a wish."""
        self._table.put((_partition(ask.stack), f"ASK#{ask.number:08d}"), ask.model_dump_json())

    def asks(self, stack: str) -> tuple[Ask, ...]:
        """A stack's wishes."""
        found = self._table.query(_partition(stack), "ASK#")
        return tuple(Ask.model_validate_json(body) for body in found)

    def put_round(self, found: Round) -> None:
        """Store a round."""
        key = (_partition(found.stack), f"ROUND#{found.number:08d}")
        self._table.put(key, found.model_dump_json())

    def rounds(self, stack: str) -> tuple[Round, ...]:
        """A stack's rounds."""
        found = self._table.query(_partition(stack), "ROUND#")
        return tuple(Round.model_validate_json(body) for body in found)


def _partition(stack: str) -> str:
    return f"STACK#{stack}"


def _place(stack: str) -> tuple[str, str]:
    return _partition(stack), "CONFIGURE"
