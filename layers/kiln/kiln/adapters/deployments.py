"""Deployments, in the same table as everything else.

what               PK                SK
deployment         STACK#name        DEPLOYMENT#id
command            STACK#name        COMMAND#deployment#instance
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.deployment import Command, Deployment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDeployments:
    """`Deployments` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def put(self, deployment: Deployment) -> None:
        """Store a deployment."""
        self._table.put(_key(deployment.stack, deployment.id), deployment.model_dump_json())

    def get(self, stack: str, deployment: str) -> Deployment | None:
        """A deployment."""
        body = self._table.get(_key(stack, deployment))
        return Deployment.model_validate_json(body) if body else None

    def all_of(self, stack: str) -> tuple[Deployment, ...]:
        """A stack's deployments; their ids do not sort by time."""
        bodies = self._table.query(f"STACK#{stack}", "DEPLOYMENT#")
        found = (Deployment.model_validate_json(body) for body in bodies)
        return tuple(sorted(found, key=lambda deployment: deployment.at))

    def put_command(self, stack: str, command: Command) -> None:
        """Store how it ended on an instance."""
        key = f"STACK#{stack}", f"COMMAND#{command.deployment}#{command.instance}"
        self._table.put(key, command.model_dump_json())

    def commands(self, stack: str, deployment: str) -> tuple[Command, ...]:
        """How it ended on instances."""
        bodies = self._table.query(f"STACK#{stack}", f"COMMAND#{deployment}#")
        return tuple(Command.model_validate_json(body) for body in bodies)


def _key(stack: str, deployment: str) -> tuple[str, str]:
    return f"STACK#{stack}", f"DEPLOYMENT#{deployment}"
