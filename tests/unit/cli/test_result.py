from __future__ import annotations

from typing import Any

import pytest

from kiln_cli.result import BakeResult
from kiln_cli.summary import show

COMMAND: dict[str, Any] = {
    "document": "kiln-run-shell",
    "instance": "i-1",
    "status": "Success",
    "ran": True,
    "steps": [{"name": "run", "exit_code": 0}],
}
ROLLOUT: dict[str, Any] = {
    "layer": "shop/web",
    "status": "SUCCEEDED",
    "instances": [{"id": "i-3", "state": "online"}],
}


def a_result(status: str = "SUCCEEDED", **overrides: Any) -> BakeResult:
    """The result of a bake that went well."""
    bake = {"id": "web-20261123-101500-9f3a", "blueprint": "web", "version": 3, "status": status}
    values: dict[str, Any] = {
        "bake": bake | overrides.pop("bake", {}),
        "image": {
            "id": "ami-1",
            "name": "web-1",
            "state": "available",
            "root_device": "ebs",
            "tags": {"team": "shop"},
        },
        "states": [{"name": "PlanBake", "entered_s": 0.0, "exited_s": 1.5}],
        "calls": {"ec2:RunInstances": 3},
        "commands": [COMMAND],
        "identity": {"builder": {"machine_id": "a", "lease": "x"}, "clone": {"machine_id": "b"}},
        "rollouts": [ROLLOUT],
        "makespan_s": 500.0,
        "aws_s": 490.0,
        "leaks": [],
    }
    return BakeResult.model_validate(values | overrides)


def shown(result: BakeResult, capsys: pytest.CaptureFixture[str]) -> str:
    show(result)
    return capsys.readouterr().out


def test_the_object_has_the_promised_keys_and_no_more() -> None:
    found = a_result().as_json()
    assert list(found) == [
        *("bake", "image", "states", "calls", "commands", "identity", "rollouts"),
        *("makespan_s", "aws_s", "leaks", "places", "faults", "throttled", "time", "expected_s"),
    ]
    assert set(found["bake"]) == {"id", "blueprint", "version", "status", "error", "cause"}
    assert found["commands"] == [COMMAND]
    assert found["rollouts"] == [ROLLOUT]


def test_a_bake_that_made_nothing_is_no_failure_and_says_which_image_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    skipped = {"reason": "nothing has changed since web-1", "image": "ami-1"}
    none: dict[str, Any] = {"image": None, "rollouts": [], "identity": None, "commands": []}
    result = a_result("SKIPPED", bake={"skipped": skipped}, **none)
    assert (result.succeeded, result.failed) == (True, False)
    assert result.as_json()["bake"]["skipped"] == skipped
    assert "skipped  nothing has changed since web-1" in shown(result, capsys)


def test_a_bake_that_waits_says_for_what(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result("WAITING", bake={"waits_for": "one of 10 turns"}, rollouts=[])
    assert (result.succeeded, result.failed) == (False, False)
    said = shown(result, capsys)
    assert "one of 10 turns" in said
    assert "leaks" not in said


def test_what_did_not_run_or_failed_says_why() -> None:
    found = a_result(
        commands=[COMMAND | {"ran": False, "steps": [], "why_not": "no user namespaces"}],
        rollouts=[ROLLOUT | {"status": "FAILED", "cause": "no capacity"}],
    ).as_json()
    assert found["commands"][0]["why_not"] == "no user namespaces"
    assert found["rollouts"][0]["cause"] == "no capacity"


def test_a_bake_succeeds_with_its_rollouts() -> None:
    assert a_result().succeeded
    assert a_result(rollouts=[]).succeeded
    running = a_result(rollouts=[ROLLOUT | {"status": "RUNNING"}])
    assert not running.succeeded
    assert not running.failed
    assert not a_result("RUNNING", rollouts=[]).failed
    assert a_result(rollouts=[ROLLOUT | {"status": "FAILED"}]).failed
    assert a_result("FAILED").failed
    assert not a_result(rollouts=[ROLLOUT | {"status": "FAILED"}]).succeeded
    assert not a_result("FAILED").succeeded


def test_the_summary_tells_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(a_result(), capsys)
    lines = [line.split() for line in text.splitlines()]
    assert ["bake", "web-20261123-101500-9f3a", "SUCCEEDED"] in lines
    assert "ami-1 web-1 available (ebs)" in text
    assert "490 s of it waiting for AWS" in text
    assert "shop/web SUCCEEDED: i-3 online" in text
    assert ["machine_id", "a", "b", "differs"] in lines
    assert ["lease", "x", "-", "gone"] in lines
    assert ["leaks", "none"] in lines


def test_the_summary_of_a_failure_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"error": "StepFailed", "cause": "step 'a' exited 3 on i-1: no space"}
    text = shown(a_result("FAILED", bake=failed, image=None, identity=None, rollouts=[]), capsys)
    assert "StepFailed: step 'a' exited 3 on i-1: no space" in text
    assert "`on_failure: keep`" in text


def test_the_summary_does_not_advise_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"error": "StepFailed", "cause": "x\nThe builder i-1 is kept, as on_failure asks"}
    assert "`on_failure: keep`" not in shown(a_result("FAILED", bake=failed), capsys)


def test_the_summary_says_in_plain_words_what_did_not_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = COMMAND | {"ran": False, "steps": [], "why_not": "no user namespaces here"}
    text = shown(a_result(commands=[row]), capsys)
    assert "NOT RUN" in text
    assert "no user namespaces here" in text


def test_a_simulated_command_shows_its_steps_and_what_it_does_not_prove(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = COMMAND | {"ran": False, "why_not": "PowerShell did not run: it is simulated"}
    text = shown(a_result(commands=[row]), capsys)
    assert "run 0 (simulated)" in text
    assert "SIMULATED: PowerShell did not run: it is simulated. Bake on AWS" in text
    assert "NOT RUN" not in text


def test_a_failure_on_simulated_windows_is_mended_in_the_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = COMMAND | {"ran": False, "steps": [{"name": "script", "exit_code": 5}]}
    failed = {"error": "StepFailed", "cause": "step 'a' exited 5"}
    text = shown(a_result("FAILED", bake=failed, commands=[row]), capsys)
    assert "Mend the step" in text
    assert "sandbox" not in text


def test_the_summary_names_leaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert "volume vol-1" in shown(a_result(leaks=[{"kind": "volume", "id": "vol-1"}]), capsys)


def test_a_shared_fact_is_shouted(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"machine_id": "a"}
    text = shown(a_result(identity={"builder": facts, "clone": facts}), capsys)
    assert "THE SAME" in text


def test_output_of_a_step_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"error": "StepFailed", "cause": "\x1b]0;owned\x07 [bold]as it is[/bold] \x1b[2J"}
    text = shown(a_result("FAILED", bake=failed), capsys)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]as it is[/bold]" in text


def test_a_bake_that_runs_says_how_long_it_will_take_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    time = [
        {"of": "turn", "what": "its turn", "s": 500.0},
        {"of": "aws", "what": "boot of the builder", "s": 38.2},
    ]
    runs: dict[str, Any] = {"makespan_s": None, "aws_s": None, "time": time, "expected_s": 250.0}
    told = shown(a_result("RUNNING", **runs), capsys)
    assert "about 3 min 32 s: its last bakes took 4 min 10 s" in told
    rows = [line.split() for line in told.splitlines() if "boot of the builder" in line]
    assert rows == [["boot", "of", "the", "builder", "AWS", "38.2"]]
    late = shown(a_result("RUNNING", **runs | {"expected_s": 20.0}), capsys)
    assert "any moment: its last bakes took 20 s" in late
