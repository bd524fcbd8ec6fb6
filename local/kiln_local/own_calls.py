"""What AWS does of its own accord by calls to its own services: in nobody's name, so that nobody's
calls are counted, refused or held up for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from kiln_local.lives import life
from kiln_local.recorder import caller


class OwnCalls:
    """Clients of AWS itself, each made once."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of a service."""
        if service not in self._clients:
            made = self._session.client(service)  # type: ignore[call-overload]
            self._clients[service] = made
        return self._clients[service]

    def read(self, bucket: str, key: str) -> bytes:
        """An object of S3."""
        with in_nobodys_name():
            return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def store(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object into S3."""
        with in_nobodys_name():
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The first thousand keys that begin so."""
        answer = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for found in answer.get("Contents", ())]

    def start_execution(self, arn: str, text: str) -> None:
        """Start a state machine, as EventBridge does."""
        with in_nobodys_name():
            self.client("stepfunctions").start_execution(
                stateMachineArn=arn, name=str(uuid.uuid4()), input=text
            )


@contextmanager
def in_nobodys_name() -> Iterator[None]:
    """What is called within is no call of a function's or a state machine's."""
    tokens = caller.set(None), life.set(None)
    try:
        yield
    finally:
        caller.reset(tokens[0])
        life.reset(tokens[1])
