"""Values that must not come to light, and every place of a local AWS where one could.

A value is looked for as it is and behind base64 and gzip, wherever one stands in the other.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiln_cli.opening import Opened
from kiln_local.world import LocalAws

_ENCODED = re.compile(rb"[A-Za-z0-9+/]{20,}={0,2}")
_DEEPEST = 4


def canary(name: str) -> str:
    """A value that says by itself where it came from, and stands nowhere else."""
    return f"canary-{name}-9f3b7c1d5e"


def unfolded(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """A content, and whatever is encoded in it."""
    yield content
    if depth == _DEEPEST:
        return
    if content[:2] == b"\x1f\x8b":
        try:
            yield from unfolded(gzip.decompress(content), depth + 1)
        except (OSError, EOFError, zlib.error):
            return
    for found in set(_ENCODED.findall(content)):
        whole = found.rstrip(b"=")
        try:
            yield from unfolded(base64.b64decode(whole + b"=" * (-len(whole) % 4)), depth + 1)
        except binascii.Error:
            continue


def holds(content: bytes | str | Any, value: str) -> bool:
    """Whether a value is in a text, bytes, or anything that JSON can say."""
    if not isinstance(content, bytes | str):
        content = json.dumps(content, default=str, ensure_ascii=False)
    raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    return any(value.encode() in one for one in unfolded(raw))


class Places:
    """Where a value could have gone, place by place, each as one content or many by name."""

    def __init__(self, at: Opened) -> None:
        self.at = at
        self.aws: LocalAws = at.ledger._aws  # type: ignore[attr-defined]
        self.told: list[dict[str, Any]] = []
        put = self.aws._events.put
        self.aws._events.put = lambda entry: (self.told.append(entry), put(entry))[1]  # type: ignore[method-assign]

    def all(self) -> dict[str, dict[str, Any]]:
        """Everything."""
        return {
            "logs": self.logs(),
            "histories": dict(self.histories()),
            "events": {"bus": self.told, "aws": list(self.aws._events.sent)},
            "ec2": dict(self.ec2()),
            "table": {f"{i['PK']['S']} {i['SK']['S']}": i for i in self.items()},
            "objects": dict(self.objects()),
            "commands": dict(self.commands()),
            "parameters": dict(self.parameters()),
            "letters": {"queue": self.letters()},
            "disks": dict(self.disks()),
        }

    def logs(self) -> dict[str, Any]:
        """What functions printed: Output in local/kiln_local/functions.py."""
        lines = sys.stdout.lines  # type: ignore[attr-defined]
        assert lines
        return {"functions": "".join(lines)}

    def histories(self) -> Iterator[tuple[str, Any]]:
        """Of every execution of every machine."""
        states = self.at.place.client("stepfunctions")
        for machine in states.list_state_machines()["stateMachines"]:
            arn = machine["stateMachineArn"]
            for one in states.list_executions(stateMachineArn=arn)["executions"]:
                told = states.describe_execution(executionArn=one["executionArn"])
                pages = states.get_paginator("get_execution_history")
                listed = [
                    event
                    for page in pages.paginate(executionArn=one["executionArn"])
                    for event in page["events"]
                ]
                yield one["name"], [told, listed]

    def ec2(self) -> Iterator[tuple[str, Any]]:
        """Tags, names, user data and launch templates."""
        client = self.at.place.client("ec2")
        yield "tags", client.describe_tags()["Tags"]
        yield "images", client.describe_images(Owners=["self"])["Images"]
        yield "snapshots", client.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        yield "templates", client.describe_launch_templates()["LaunchTemplates"]
        for reservation in client.describe_instances()["Reservations"]:
            for one in reservation["Instances"]:
                asked = {"InstanceId": one["InstanceId"], "Attribute": "userData"}
                yield one["InstanceId"], [one, client.describe_instance_attribute(**asked)]

    def items(self) -> list[dict[str, Any]]:
        """The table."""
        client = self.at.place.client("dynamodb")
        return list(client.scan(TableName=self.at.place.outputs["TableName"])["Items"])

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Every bucket."""
        client = self.at.place.client("s3")
        for bucket in client.list_buckets()["Buckets"]:
            listed = client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
            for one in listed:
                body = client.get_object(Bucket=bucket["Name"], Key=one["Key"])["Body"].read()
                yield one["Key"], body

    def commands(self) -> Iterator[tuple[str, Any]]:
        """What Systems Manager was asked and what was said to it."""
        client = self.at.place.client("ssm")
        for command in client.list_commands()["Commands"]:
            yield f"{command['DocumentName']} asked {command['CommandId']}", command
        for row in self.aws.recorder.commands:
            yield f"{row['document']} said {row['instance']}", row

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """Parameter Store and the documents."""
        client = self.at.place.client("ssm")
        for one in client.describe_parameters()["Parameters"]:
            yield one["Name"], one

    def letters(self) -> list[Any]:
        """Dead letters, without taking them."""
        queue, client = self.at.place.outputs["DeadLettersUrl"], self.at.place.client("sqs")
        asked = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
        got = client.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], **asked)
        return list(got.get("Messages", ()))

    def disks(self) -> Iterator[tuple[str, bytes]]:
        """Every file of every image, instance and volume, by its path below their home."""
        home = self.aws._home
        for path in home.rglob("*"):
            if path.is_file() and not path.is_symlink() and "/usr/" not in str(path):
                yield str(path.relative_to(home)), read_quietly(path)


def read_quietly(path: Path) -> bytes:
    """A file; nothing of one that cannot be read or has gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def sightings(
    places: dict[str, dict[str, Any]], values: dict[str, str]
) -> set[tuple[str, str, str]]:
    """Which value was seen where: its name, the kind of place, the name of it there."""
    return {
        (name, kind, where)
        for kind, found in places.items()
        for where, content in found.items()
        for name, value in values.items()
        if holds(content, value)
    }
