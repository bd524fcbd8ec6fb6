"""The graph walk of the gate sees each mistake that Step Functions, or moto, would let through."""

from __future__ import annotations

from typing import Any

import pytest

from tools.state_graph import problems


def a_task(**changes: Any) -> dict[str, Any]:
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Retry": [{"ErrorEquals": ["AwsBusy"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "Next": "Done",
    }
    return {key: value for key, value in {**task, **changes}.items() if value is not None}


def a_machine(start: str = "Work", **states: Any) -> dict[str, Any]:
    ends = {"Done": {"Type": "Succeed"}, "Failed": {"Type": "Fail"}}
    return {"StartAt": start, "States": {"Work": a_task(), **states, **ends}}


def test_a_machine_that_is_right_has_no_problems() -> None:
    assert list(problems(a_machine())) == []


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (a_machine(start="Wrk"), "StartAt names 'Wrk'"),
        (a_machine(Work=a_task(Next="Gone")), "goes to 'Gone'"),
        (a_machine(Work=a_task(Catch=[{"Next": "Nowhere"}])), "goes to 'Nowhere'"),
        (a_machine(Lost=a_task()), "Lost: no path enters it"),
        (a_machine(Work=a_task(Next="Work", Catch=[{"Next": "Work"}])), "no path from it ends"),
        (a_machine(Work=a_task(Next=None)), "only Succeed and Fail may"),
        (a_machine(Work=a_task(Retry=None)), "needs Retry"),
        (a_machine(Work=a_task(Catch=None)), "needs Catch"),
        (a_machine(Work=a_task(Resource="x.waitForTaskToken")), "needs HeartbeatSeconds"),
        (a_machine(Work={"Type": "Choice", "Choices": [{"Next": "Done"}]}), "has no Default"),
        (a_machine(Work={"Next": "Done", "Type": "Pass"}), "in the order Type, Next"),
    ],
)
def test_a_mistake_is_named(machine: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(machine))


def test_the_machines_inside_a_map_are_walked_too() -> None:
    inner = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    machine = a_machine(Work={"Type": "Map", "ItemProcessor": inner, "Next": "Done"})
    assert any("goes to 'B'" in problem for problem in problems(machine))
