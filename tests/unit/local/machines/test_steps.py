"""What the agent makes of a step: preconditions, plugins, and whether the document goes on."""

from __future__ import annotations

from typing import Any

import pytest

from kiln_local.machines.steps import NOT_HERE, StepRun, ending, refusal, summary

SHELL = "aws:runShellScript"


def a_step_run(**changes: Any) -> StepRun:
    return StepRun(**{"name": "s", "plugin": SHELL, "status": "Success", "exit_code": 0} | changes)


@pytest.mark.parametrize("arguments", [["platformType", "Linux"], ["linux", "platformType"]])
def test_a_precondition_on_the_platform_compares_without_case(arguments: list[str]) -> None:
    assert refusal("s", SHELL, {"StringEquals": arguments}, {}) is None


def test_a_step_for_another_platform_is_skipped_and_counts_as_a_success() -> None:
    found = refusal("s", SHELL, {"StringEquals": ["platformType", "Windows"]}, {})
    assert found is not None
    assert (found.status, found.ran) == ("Success", True)
    assert "skipped" in found.stdout


@pytest.mark.parametrize(
    "precondition",
    [
        {"StringEquals": ["platformType"]},
        {"StringEquals": ["platformType", "Linux", "Linux"]},
        {"StringEquals": ["platformType", "platformType"]},
        {"StringEquals": ["a", "b"]},
        {"StringLike": ["platformType", "L*"]},
    ],
)
def test_any_other_precondition_fails_the_step(precondition: dict[str, Any]) -> None:
    found = refusal("s", SHELL, precondition, {})
    assert found is not None
    assert found.status == "Failed"


def test_a_precondition_may_compare_a_parameter() -> None:
    condition = {"StringEquals": ["{{ Mode }}", "full"]}
    assert refusal("s", SHELL, condition, {"Mode": "full"}) is None
    skipped = refusal("s", SHELL, condition, {"Mode": "quick"})
    assert skipped is not None
    assert skipped.status == "Success"


def test_powershell_without_a_precondition_is_attempted_and_fails() -> None:
    found = refusal("s", "aws:runPowerShellScript", None, {})
    assert found is not None
    assert (found.status, found.exit_code) == ("Failed", 1)


def test_what_the_local_aws_knows_by_name_alone_is_not_run_and_says_so() -> None:
    found = refusal("run", f"{NOT_HERE}Chef recipes", None, {})
    assert found is not None
    assert (found.status, found.ran) == ("Success", False)
    assert found.stdout == "The local AWS does not run Chef recipes; this step was not run.\n"


def test_a_plugin_that_nobody_knows_fails() -> None:
    found = refusal("s", "aws:dance", None, {})
    assert found is not None
    assert found.status == "Failed"


def test_a_plugin_that_is_not_imitated_is_recorded_as_not_run() -> None:
    found = refusal("s", "aws:downloadContent", None, {})
    assert found is not None
    assert not found.ran
    assert "was not run" in found.stdout


@pytest.mark.parametrize(
    ("exit_code", "status", "inputs", "expected"),
    [
        (1, "Failed", {}, ("Failed", False)),
        (1, "Failed", {"onFailure": "exit"}, ("Failed", True)),
        (1, "Failed", {"onFailure": "successAndExit"}, ("Success", True)),
        (0, "Success", {"onSuccess": "exit"}, ("Success", True)),
        (168, "Failed", {}, ("Success", True)),
        (169, "Failed", {"onFailure": "successAndExit"}, ("Failed", True)),
        (137, "TimedOut", {"onFailure": "exit"}, ("TimedOut", False)),
    ],
)
def test_exit_codes_and_inputs_end_a_document(
    exit_code: int, status: str, inputs: dict[str, str], expected: tuple[str, bool]
) -> None:
    step, ends = ending(inputs, a_step_run(exit_code=exit_code, status=status))
    assert (step.status, ends) == expected


def test_a_later_step_of_the_same_name_hides_a_failure() -> None:
    assert summary([a_step_run(status="Failed"), a_step_run()]) == "Success"
    assert summary([a_step_run(status="Failed"), a_step_run(name="t")]) == "Failed"


def test_a_failure_counts_more_than_a_time_out() -> None:
    steps = [a_step_run(status="TimedOut"), a_step_run(name="t", status="Failed")]
    assert summary(steps) == "Failed"
