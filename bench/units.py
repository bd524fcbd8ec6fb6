"""What AWS charges for, counted in a local AWS while a block runs: transitions, invocations and
their time, read and write units of the table, events, objects, log bytes.

A unit is counted as AWS counts it, and where that is not known here, not below it: each read as a
strongly consistent one (half as much otherwise), each invocation as traced.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

from bench.ground import Ground
from kiln_cli.history import transitions
from kiln_local.emulated import Emulated, Invoked
from kiln_local.patches import Patches

# Amazon DynamoDB Developer Guide, "Read and write operations": KiB of a unit.
READ_KB, WRITE_KB = 4, 1
# CloudWatch Logs User Guide, PutLogEvents: what each event counts beside its text.
LINE_BYTES = 26
_WRITES = ("put_item", "update_item", "delete_item")


def write_units(size: int, transaction: bool = False) -> int:
    """Write units of one item of so many bytes; in a transaction twice as many."""
    return max(1, math.ceil(size / 1024 / WRITE_KB)) * (2 if transaction else 1)


def read_units(size: int) -> int:
    """Read units of one answer of so many bytes, strongly consistent."""
    return max(1, math.ceil(size / 1024 / READ_KB))


class Units:
    """The counters."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.log_bytes = 0
        self._asking = threading.local()

    def heard(self, line: str) -> None:
        """A line that a function or its emulator prints; the emulator's own go to no log."""
        if "(rapid)" not in line:
            self.log_bytes += len(line.encode()) + LINE_BYTES

    def connect(self, patches: Patches) -> None:
        """Count what the table does from now on."""
        for name in _WRITES:
            patches.set(DynamoDBBackend, name, self._write(getattr(DynamoDBBackend, name)))
        patches.set(DynamoHandler, "get_item", self._asked(DynamoHandler.get_item))
        patches.set(DynamoDBBackend, "get_item", self._got(DynamoDBBackend.get_item))
        patches.set(DynamoDBBackend, "query", self._queried(DynamoDBBackend.query))
        patches.set(
            DynamoDBBackend,
            "transact_write_items",
            self._transaction(DynamoDBBackend.transact_write_items),
        )

    def _write(self, original: Any) -> Any:
        def write(*args: Any, **named: Any) -> Any:
            size = 0
            try:
                item = original(*args, **named)
                size = item.size() if item else 0
                return item
            finally:
                # One whose condition does not hold is charged too.
                self.found["write units"] += write_units(size)

        return write

    def _asked(self, original: Any) -> Any:
        def ask(handler: Any) -> Any:
            self._asking.now = True
            try:
                return original(handler)
            finally:
                self._asking.now = False

        return ask

    def _got(self, original: Any) -> Any:
        def get(*args: Any, **named: Any) -> Any:
            item = original(*args, **named)
            # moto looks at an item before it writes it, for which nobody is charged.
            if getattr(self._asking, "now", False):
                self.found["read units"] += read_units(item.size() if item else 0)
            return item

        return get

    def _queried(self, original: Any) -> Any:
        def query(*args: Any, **named: Any) -> Any:
            answer = original(*args, **named)
            self.found["read units"] += read_units(sum(item.size() for item in answer[0]))
            return answer

        return query

    def _transaction(self, original: Any) -> Any:
        def transact(backend: Any, items: list[dict[str, Any]]) -> Any:
            before = self.found["write units"]
            try:
                return original(backend, items)
            finally:
                # Its parts are written by the methods above; checks are charged like writes.
                parts = max(len(items), self.found["write units"] - before)
                self.found["write units"] = before + 2 * parts

        return transact


@contextmanager
def counted(here: Ground, emulation: Emulated) -> Iterator[Counter[str]]:
    """Count within the block; the counts are there when it has ended."""
    units, patches, found = Units(), Patches(), Counter[str]()
    heard, emulation.heard = emulation.heard, _both(emulation.heard, units.heard)
    client: Any = here.aws.session().client("stepfunctions")
    before = set(_executions(client))
    first_call, first_run = len(here.aws.recorder.calls), len(emulation.invoked)
    units.connect(patches)
    try:
        yield found
    finally:
        patches.undo()
        emulation.heard = heard
    histories = [_history(client, arn) for arn in _executions(client) if arn not in before]
    logged = sum(log_bytes(event) for history in histories for event in history)
    invoked = emulation.invoked[first_run:]
    calls = Counter(call.operation for call in here.aws.recorder.calls[first_call:])
    found.update(units.found)
    found.update(
        {
            "transitions": sum(map(transitions, histories)),
            "invocations": len(invoked),
            "function GB-ms": math.ceil(gb_ms(invoked)),
            "log bytes": units.log_bytes + logged,
            "events": calls["events:PutEvents"],
            "objects written": calls["s3:PutObject"],
            "objects read": calls["s3:GetObject"] + calls["s3:HeadObject"],
        }
    )


def gb_ms(invoked: Iterable[Invoked]) -> float:
    """Milliseconds of functions, each times its gigabytes."""
    return sum(one.ms * one.memory_mb / 1024 for one in invoked)


def log_bytes(event: dict[str, Any]) -> int:
    """What an event of a history is in the log of a machine that logs all of them, with an ARN."""
    return len(json.dumps(event, default=str)) + LINE_BYTES + 120


def _both(one: Any, other: Any) -> Any:
    def heard(line: str) -> None:
        one(line)
        other(line)

    return heard


def _executions(client: Any) -> Iterator[str]:
    for machine in client.list_state_machines()["stateMachines"]:
        found = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        yield from (execution["executionArn"] for execution in found)


def _history(client: Any, arn: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]
