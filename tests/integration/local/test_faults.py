"""Faults on request: what a function sees when AWS refuses, or acts and its answer is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from moto import mock_aws

from kiln_local import recorder
from kiln_local.clock import SimClock

NAMES = {"Name": "/a", "Value": "1", "Type": "String"}


def lose(operation: str, _: dict[str, Any]) -> None:
    """Lose the answer of a write."""
    if operation == "ssm:PutParameter":
        raise ConnectionClosedError(endpoint_url="ssm")


@pytest.fixture
def books() -> Iterator[recorder.Recorder]:
    """A recorder that is asked about every call made in a function's name."""
    clock = SimClock(100)
    books = recorder.Recorder(clock)
    recorder.install(books)
    token = recorder.caller.set("plan_bake")
    with mock_aws():
        yield books
    recorder.caller.reset(token)
    recorder.remove()
    clock.end()


def test_a_call_that_is_refused_does_nothing(books: recorder.Recorder) -> None:
    books.hooks.append(lose)
    client = boto3.client("ssm", region_name="eu-west-1")
    with pytest.raises(ConnectionClosedError):
        client.put_parameter(**NAMES)
    assert client.get_parameters(Names=["/a"])["Parameters"] == []


def test_a_lost_answer_leaves_what_the_call_did(books: recorder.Recorder) -> None:
    books.after_hooks.append(lose)
    client = boto3.client("ssm", region_name="eu-west-1")
    with pytest.raises(ConnectionClosedError):
        client.put_parameter(**NAMES)
    assert [p["Value"] for p in client.get_parameters(Names=["/a"])["Parameters"]] == ["1"]
    assert books.count() == {"ssm:GetParameters": 1, "ssm:PutParameter": 1}


def test_a_client_outside_meets_no_fault(books: recorder.Recorder) -> None:
    books.hooks.append(lose)
    token = recorder.caller.set(None)
    boto3.client("ssm", region_name="eu-west-1").put_parameter(**NAMES)
    recorder.caller.reset(token)
    assert books.count() == {}
