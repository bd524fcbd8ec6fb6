"""Versions of blueprints, in the same table as everything else.

what               PK                SK
blueprint version  BLUEPRINT#name    VERSION#00000007
name               CATALOGUE         BLUEPRINT#name
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kiln.adapters._table import Key, Table
from kiln.domain.version import BlueprintVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoVersions:
    """`Versions` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def add(self, version: BlueprintVersion) -> bool:
        """Store a version, its name in the catalogue first: a crash in between must not hide it."""
        name = version.blueprint
        self._table.put(("CATALOGUE", f"BLUEPRINT#{name}"), name)
        return self._table.add(_key(name, version.number), version.model_dump_json())

    def get(self, blueprint: str, number: int | None = None) -> BlueprintVersion | None:
        """A version, or the latest."""
        if number is not None:
            body = self._table.get(_key(blueprint, number))
            return _read(blueprint, number, body) if body else None
        found = self._table.last(f"BLUEPRINT#{blueprint}", "VERSION#")
        return _read(blueprint, int(found[0].partition("#")[2]), found[1]) if found else None

    def all_of(self, blueprint: str) -> tuple[BlueprintVersion, ...]:
        """All versions; their numbers have no gap."""
        found = self._table.query(f"BLUEPRINT#{blueprint}", "VERSION#")
        return tuple(_read(blueprint, n, body) for n, body in enumerate(found, 1))

    def names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(self._table.query("CATALOGUE", "BLUEPRINT#"))


def _key(blueprint: str, number: int) -> Key:
    return f"BLUEPRINT#{blueprint}", f"VERSION#{number:08d}"


def _read(blueprint: str, number: int, body: str) -> BlueprintVersion:
    """A version; one that was stored before authors were is its document alone."""
    found = json.loads(body)
    if "document" in found:
        return BlueprintVersion.model_validate(found)
    return BlueprintVersion(blueprint=blueprint, number=number, document=found)
