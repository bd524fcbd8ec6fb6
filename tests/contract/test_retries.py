"""Who is refused asks again, and not all at the same moment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from kiln.wiring import Environment
from kiln.wiring.aws import AwsWorld
from tests.contract.test_names import MACHINES, ROOT, TEMPLATE, states_of

NEEDED = {"table": "t", "bucket": "b", "bus": "b", "document_prefix": "kiln"}
RETRIERS = {
    f"{machine}: {state}, {number}": retrier
    for machine, text in MACHINES.items()
    for state, described in states_of(text).items()
    for number, retrier in enumerate(described.get("Retry", ()))
}


def test_every_retry_and_every_look_again_is_spread() -> None:
    assert len(RETRIERS) > 100
    assert [n for n, retrier in RETRIERS.items() if retrier.get("JitterStrategy") != "FULL"] == []


def test_who_finds_aws_busy_does_not_give_up_within_a_minute() -> None:
    busy = {n: r for n, r in RETRIERS.items() if {"AwsBusy", "States.ALL"} & set(r["ErrorEquals"])}
    assert [name for name, retrier in busy.items() if patience_s(retrier) < 60] == []


def patience_s(retrier: dict[str, Any]) -> float:
    """For how long a state asks again, on average: with full jitter a pause is half as long."""
    longest = retrier.get("MaxDelaySeconds", 10**9)
    pauses = (
        min(longest, retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt)
        for attempt in range(retrier["MaxAttempts"])
    )
    return sum(pauses) / 2


def a_world() -> AwsWorld:
    """A world whose ports have all been asked for."""
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    world = AwsWorld(Environment.model_validate(NEEDED), session)
    for name in world.__dataclass_fields__:
        getattr(world, name)
    return world


def test_every_client_of_a_function_slows_down_when_it_is_refused() -> None:
    world = a_world()
    far = world._abroad("ec2", "us-east-1")
    assert {"ec2", "ssm", "dynamodb", "s3", "events", "stepfunctions"} <= world._clients.keys()
    for client in (*world._clients.values(), far):
        assert client.meta.config.retries["mode"] == "adaptive"


def test_no_client_is_made_without_its_retries() -> None:
    package = ROOT / "layers/kiln/kiln"
    made = [call for path in package.rglob("*.py") for call in _makers(path)]
    assert [ast.unparse(call.func) for call in made] == ["self._session.client"]
    assert "config=_RETRIES" in ast.unparse(made[0])


def _makers(path: Path) -> Iterator[ast.Call]:
    """Calls that make a client; what a session of our own hands on is not one."""
    for node in ast.walk(ast.parse(path.read_text())):
        makes = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if makes and node.func.attr == "client":
            yield node


def test_a_function_outlives_the_retries_of_a_call_that_is_refused() -> None:
    most = a_world()._client("ec2").meta.config.retries["total_max_attempts"]
    # botocore draws each pause from 0 up to a power of 2, 20 seconds at most (retries/standard.py).
    longest = sum(min(2**retry, 20) for retry in range(most - 1))
    default = TEMPLATE["Globals"]["Function"]["Timeout"]
    limits = [
        resource["Properties"].get("Timeout", default)
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    assert longest < min(limits)
