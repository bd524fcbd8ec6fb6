"""DynamoDB in the local AWS: one of many who write under a condition wins, a query sees its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.integration.local.worlds import World, a_world

TABLE = "things"
KEYS = ("PK", "SK")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A local AWS with a table of two keys."""
    with a_world() as made:
        made.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in KEYS],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
        )
        yield made


def put(world: World, partition: str, sort: str, **more: object) -> None:
    item = {"PK": {"S": partition}, "SK": {"S": sort}, "body": {"S": f"{partition}/{sort}"}}
    world.client("dynamodb").put_item(TableName=TABLE, Item=item, **more)


def test_of_many_who_write_where_nothing_is_one_wins(world: World) -> None:
    won, begin = [], threading.Barrier(16)
    refused = world.client("dynamodb").exceptions.ConditionalCheckFailedException

    def write(name: int) -> None:
        begin.wait()
        with suppress(refused):
            put(world, "one", "winner", ConditionExpression="attribute_not_exists(PK)")
            won.append(name)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_query_reads_its_own_partition_in_order_while_others_are_written(world: World) -> None:
    for number in (3, 1, 2):
        put(world, "mine", f"ROW#{number}")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            put(world, f"other-{number}", "x")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            found = world.client("dynamodb").query(
                TableName=TABLE,
                KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
                ExpressionAttributeValues={":pk": {"S": "mine"}, ":sk": {"S": "ROW"}},
            )["Items"]
            assert [item["SK"]["S"] for item in found] == ["ROW#1", "ROW#2", "ROW#3"]
    finally:
        stop.set()
        writer.join()


def test_an_item_is_read_whole_while_its_attributes_come_and_go(world: World) -> None:
    key = {"PK": {"S": "turns"}, "SK": {"S": "turns"}}
    client = world.client("dynamodb")

    def change(verb: str, number: int) -> None:
        values = {":v": {"M": {"of": {"S": "bake"}}}} if verb == "SET" else None
        client.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression=f"{verb} #name{' = :v' if values else ''}",
            ExpressionAttributeNames={"#name": f"turn:{number}"},
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    for number in range(100):
        change("SET", number)
    stop, faults = threading.Event(), list[RuntimeError]()

    def read() -> None:
        while not stop.is_set():
            try:
                client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)
            except RuntimeError as error:
                faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    for reader in readers:
        reader.start()
    try:
        for number in range(100, 140):
            change("SET", number)
            change("REMOVE", number)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
        sys.setswitchinterval(before)
    assert faults == []
