"""The bake's state machine around PlanBake: the states that a bake enters which goes, waits, has
nothing to make, or fails before its turn. The functions are the test's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.local.test_interpreter import Bench, bench

__all__ = ["bench"]  # a fixture

MACHINE = Path(__file__).parents[3] / "statemachine" / "bake.asl.yaml"
PLANNED = {
    "bake": "web-20261123-101500-9f3a",
    "verdict": "go",
    "skipped": None,
    "asked": "2026-11-23T10:15:00.000000Z",
    "wait_s": 86400,
    "begin_in_s": 0,
    "steps": 0,
    "tests": 0,
    "inspect": False,
    "seal": "stop",
}
WHY = {"reason": "nothing has changed", "image": "ami-1"}
SKIP = PLANNED | {"verdict": "skip", "skipped": WHY}
WAIT = PLANNED | {"verdict": "wait"}
INPUT = {"blueprint": "web", "trigger": "schedule"}


def ran(
    bench: Bench, plans: list[Any], torn: dict[str, Any], wait: Callable[[Any], None] | None = None
) -> tuple[list[str], dict[str, Any]]:
    """The states that a bake entered, and how it ended. PlanBake answers `plans` one after the
    other, an error where one is a RuntimeError; a launch fails."""
    left = iter(plans)

    def function(event: Any) -> Any:
        if "wait" in event and wait:
            return wait(event)
        if "role" in event:
            raise RuntimeError("no", "NoCapacity")
        answer = next(left) if "execution" in event else torn
        if isinstance(answer, RuntimeError):
            raise answer
        return answer

    bench.function = function
    text = re.sub(r"\$\{(\w+)FunctionArn\}", r"\1", MACHINE.read_text())
    ended = bench.run(yaml.safe_load(text)["States"], INPUT, StartAt="PlanBake")
    history = bench.client.get_execution_history(executionArn=ended["executionArn"])
    entered = (event.get("stateEnteredEventDetails") for event in history["events"])
    return [found["name"] for found in entered if found], ended


def teardowns(bench: Bench) -> list[Any]:
    """What Teardown was asked."""
    return [call for call in bench.calls if "failure" in call]


FAILED = {"status": "FAILED", "error": "NoCapacity", "cause": "no", "image": None}
SKIPPED = {"status": "SKIPPED", "error": "", "cause": "nothing has changed", "image": "ami-1"}


def test_a_bake_whose_turn_it_is_launches_one_state_after_its_plan(bench: Bench) -> None:
    states, ended = ran(bench, [PLANNED], FAILED)
    assert states == ["PlanBake", "MayGo", "LaunchBuilder", "Teardown", "HasFailed", "BakeFailed"]
    assert ended["error"] == "NoCapacity"
    (torn,) = teardowns(bench)
    assert (torn["skipped"], torn["failure"]["error"]) == (None, "NoCapacity")
    assert torn["asked"]["request"] == INPUT
    assert torn["asked"].keys() == {"request", "execution", "started"}


def test_a_bake_that_is_held_back_launches_after_a_wait(bench: Bench) -> None:
    before = bench.clock.seconds()
    states, _ = ran(bench, [PLANNED | {"begin_in_s": 7}], FAILED)
    assert states[:4] == ["PlanBake", "MayGo", "AwaitBegin", "LaunchBuilder"]
    assert bench.clock.seconds() - before >= 7


def test_a_bake_that_has_nothing_to_make_succeeds_and_says_so(bench: Bench) -> None:
    states, ended = ran(bench, [SKIP], SKIPPED)
    assert states == ["PlanBake", "MayGo", "Teardown", "HasFailed", "BakeSkipped"]
    told = {"bake": PLANNED["bake"], "image": "ami-1", "skipped": "nothing has changed"}
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", told)
    (torn,) = teardowns(bench)
    assert (torn["skipped"], torn["failure"]) == (WHY, None)


@pytest.mark.parametrize("then", [PLANNED, SKIP], ids=["goes", "makes nothing"])
def test_a_bake_that_waits_is_planned_anew_with_what_it_was_asked(
    bench: Bench, then: dict[str, Any]
) -> None:
    def answered(event: Any) -> None:
        bench.client.send_task_success(taskToken=event["token"], output='{"bake": "b"}')

    states, _ = ran(bench, [WAIT, WAIT, then], SKIPPED if then is SKIP else FAILED, answered)
    twice = ["PlanBake", "MayGo", "AwaitTurn"] * 2 + ["PlanBake", "MayGo"]
    assert states[:8] == twice
    assert states[8] == ("Teardown" if then is SKIP else "LaunchBuilder")
    plans = [call for call in bench.calls if call.keys() == {"request", "execution", "started"}]
    assert [call["request"] for call in plans] == [INPUT] * 3
    (wait, _) = [call["wait"] for call in bench.calls if "wait" in call]
    assert wait == {
        "kind": "turn",
        "bake": PLANNED["bake"],
        "execution": plans[0]["execution"],
        "asked": PLANNED["asked"],
        "since": plans[0]["started"],
        "timeout_s": 86400,
    }


def test_a_wait_that_fails_is_torn_down_under_the_bakes_own_id(bench: Bench) -> None:
    def failed(event: Any) -> None:
        bench.client.send_task_failure(taskToken=event["token"], error="TurnMissed", cause="late")

    states, _ = ran(bench, [WAIT], FAILED | {"error": "TurnMissed"}, failed)
    assert states == ["PlanBake", "MayGo", "AwaitTurn", "Teardown", "HasFailed", "BakeFailed"]
    (torn,) = teardowns(bench)
    assert torn["bake"] == PLANNED["bake"]
    assert torn["failure"]["error"] == "TurnMissed"


def test_a_plan_that_does_not_hold_is_torn_down_with_what_was_asked(bench: Bench) -> None:
    refused = RuntimeError("no such base", "BaseImageNotFound")
    states, _ = ran(bench, [refused], FAILED | {"error": "BaseImageNotFound"})
    assert states == ["PlanBake", "Teardown", "HasFailed", "BakeFailed"]
    (torn,) = teardowns(bench)
    assert torn["bake"] == torn["asked"]["execution"]
    assert (torn["skipped"], torn["asked"]["request"]) == (None, INPUT)
