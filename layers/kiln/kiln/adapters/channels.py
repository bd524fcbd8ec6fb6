"""Channels of blueprints, in the same table as everything else.

what               PK                SK
channel's image    BLUEPRINT#name    CHANNEL#prod#00000003    (the last one is in it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.channel import Channel, ChannelImage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoChannels:
    """`Channels` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    def add(self, entry: ChannelImage) -> bool:
        """Let an image in, where its number is free."""
        key = _partition(entry.blueprint), f"{_begins(entry.channel)}{entry.number:08d}"
        return self._table.add(key, entry.model_dump_json())

    def current(self, blueprint: str, channel: Channel) -> ChannelImage | None:
        """What is in a channel now."""
        found = self._table.last(_partition(blueprint), _begins(channel))
        return ChannelImage.model_validate_json(found[1]) if found else None

    def history(self, blueprint: str, channel: Channel) -> tuple[ChannelImage, ...]:
        """All that was in a channel."""
        found = self._table.query(_partition(blueprint), _begins(channel))
        return tuple(ChannelImage.model_validate_json(body) for body in found)


def _partition(blueprint: str) -> str:
    return f"BLUEPRINT#{blueprint}"


def _begins(channel: Channel) -> str:
    return f"CHANNEL#{channel}#"
