"""What is promised of those that wait, kept by the fake and by DynamoDB alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.waits import DynamoWaits
from kiln.domain.waiting import ImageAvailable, WaitingToken
from kiln.ports import Waits
from tests.builders import BAKE, NOW
from tests.fakes import FakeClock
from tests.fakes.waits import FakeWaits
from tests.moto_clients import a_table, mock_aws


@pytest.fixture(params=["fake", "dynamodb"])
def waits(request: pytest.FixtureRequest) -> Iterator[Waits]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeWaits()
        return
    with mock_aws():
        yield DynamoWaits(a_table(), "kiln", FakeClock())


def a_token(text: str, state: str = "PollImage") -> WaitingToken:
    """A task that waits for ami-1."""
    wait = ImageAvailable(
        kind="image-available", image="ami-1", bake=BAKE, since=NOW.isoformat(), timeout_s=1
    )
    return WaitingToken(wait=wait, state=state, token=text)


def test_a_newer_token_of_a_state_replaces_the_older(waits: Waits) -> None:
    old, new = a_token("old"), a_token("new")
    waits.keep("ami-1", old)
    waits.keep("ami-1", new)
    waits.keep("ami-1", a_token("other", "Elsewhere"))
    waits.drop("ami-1", old)
    assert {token.token for token in waits.of("ami-1")} == {"new", "other"}
    waits.drop("ami-1", new)
    assert [token.token for token in waits.of("ami-1")] == ["other"]
    assert waits.of("ami-2") == ()


def a_wait(kind: str, token: str, **more: str) -> WaitingToken:
    """A task that waits for something on i-1."""
    common = {"kind": kind, "bake": BAKE, "since": NOW.isoformat(), "timeout_s": 1}
    wait = common | {"instance": "i-1"} | more
    return WaitingToken.model_validate({"wait": wait, "state": token, "token": token})


def test_all_that_wait_for_a_subject_are_found_and_each_by_its_resource(waits: Waits) -> None:
    command = {"command": "c-1", "purpose": "step", "label": "step"}
    stops, runs = a_wait("instance-stopped", "stops"), a_wait("command-done", "runs", **command)
    far = a_token("far").model_copy(
        update={
            "wait": a_token("far").wait.model_copy(update={"image": "ami-2", "region": "us-east-1"})
        }
    )
    waits.keep("i-1", stops)
    waits.keep("i-1", runs)
    waits.keep("c-1", runs)
    waits.keep("i-10", a_wait("instance-stopped", "other", instance="i-10"))
    waits.keep("ami-1", a_token("image"))
    waits.keep("ami-2", far)
    assert {token.token for token in waits.all_of("instances")} == {"stops", "other"}
    assert {token.token for token in waits.all_of("images")} == {"image"}
    assert {token.token for token in waits.all_of("images#us-east-1")} == {"far"}
    # An event names a resource: of an instance both what waits for it and for its commands.
    assert {token.token for token in waits.of("i-1")} == {"stops", "runs"}
    assert [token.token for token in waits.of("c-1")] == ["runs"]
    waits.drop("i-1", stops)
    assert {token.token for token in waits.all_of("instances")} == {"other"}


def test_a_look_begins_only_a_while_after_the_last_of_its_subject(waits: Waits) -> None:
    assert waits.begin_look("instances", 2)
    assert not waits.begin_look("instances", 2)
    assert waits.begin_look("images", 2)
    # Nobody's clock stands still: no time at all has passed since.
    assert waits.begin_look("instances", 0)
    waits.end_look("instances")
    assert waits.begin_look("instances", 2)
    assert not waits.begin_look("images", 2)
    waits.end_look("never begun")
