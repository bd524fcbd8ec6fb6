"""DynamoDB under many threads, as DynamoDB is: a condition and its write are one, a query reads its
own partition.

moto checks a condition and writes afterwards, goes through a table, and through an item that it is
about to answer with, while others write to it, and sorts all items of a table for each query.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from kiln_local.patches import Patches

_ALONE = (
    "batch_get_item",
    "batch_write_item",
    "delete_item",
    "get_item",
    "put_item",
    "query",
    "scan",
    "transact_get_items",
    "transact_write_items",
    "update_item",
)


def connect(patches: Patches) -> None:
    """Let each operation on items have the tables for itself."""
    lock, asked = threading.RLock(), threading.local()
    for owner in (DynamoDBBackend, DynamoHandler):
        for name in _ALONE:
            patches.alone(owner, name, lock)
    query, all_items = Table.query, Table.all_items

    def query_one(self: Any, hash_key: Any, *more: Any, **named: Any) -> Any:
        # The sixth of `more` is the index; one has keys of its own.
        index = named.get("index_name") or (more[6] if len(more) > 6 else None)
        asked.partition = None if index else hash_key
        try:
            return query(self, hash_key, *more, **named)
        finally:
            asked.partition = None

    def items_asked(self: Any) -> Any:
        partition = getattr(asked, "partition", None)
        if partition is None or not self.range_key_attr:
            return all_items(self)
        return list(self.items.get(partition, {}).values())

    patches.set(Table, "query", query_one)
    patches.set(Table, "all_items", items_asked)
