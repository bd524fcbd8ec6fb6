"""One name, many places: state, folder, logical id, substitution, use case, event, test."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from kiln import errors
from kiln_local.template import read
from tests.steps import request_of

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
TEMPLATE = read(ROOT / "template.yaml")
MACHINES = {
    path.name.removesuffix(".asl.yaml"): yaml.safe_load(path.read_text())
    for path in sorted(ROOT.glob("statemachine/*.asl.yaml"))
}
TESTS = "\n".join(path.read_text() for path in ROOT.glob("tests/unit/steps/*.py"))


def camel(name: str) -> str:
    """`plan_bake` as `PlanBake`."""
    return "".join(word.capitalize() for word in name.split("_"))


def states_of(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The states of a machine, those inside its Maps too."""
    found = dict(machine["States"])
    for state in machine["States"].values():
        if state["Type"] == "Map":
            found |= states_of(state["ItemProcessor"])
    return found


def tasks(machine: dict[str, Any]) -> dict[str, str]:
    """The Task states of a machine, with the substitution that each calls."""
    states = states_of(machine).items()
    return {n: s["Arguments"]["FunctionName"] for n, s in states if s["Type"] == "Task"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_logical_id_its_use_case_its_event_and_its_test(name: str) -> None:
    resource = TEMPLATE["Resources"][f"{camel(name)}Function"]
    assert resource["Properties"]["CodeUri"] == f"functions/{name}"
    assert f"{camel(name)}FunctionLogs" in TEMPLATE["Resources"]
    use_case = getattr(importlib.import_module(f"kiln.steps.{name}"), name)
    assert (ROOT / "events" / f"{name}.json").is_file()
    assert re.search(rf"\b{name}\(", TESTS)
    assert inspect.getdoc(use_case)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_event_of_a_function_is_what_it_takes(name: str) -> None:
    use_case = getattr(importlib.import_module(f"kiln.steps.{name}"), name)
    model = request_of(use_case)
    assert issubclass(model, BaseModel)
    for path in ROOT.glob(f"events/{name}*.json"):
        model.model_validate(json.loads(path.read_text()))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_calls_functions_of_the_template_and_all_it_was_given(machine: str) -> None:
    called = set(tasks(MACHINES[machine]).values())
    resource = TEMPLATE["Resources"][f"{camel(machine)}StateMachine"]["Properties"]
    given = {f"${{{name}}}" for name in resource["DefinitionSubstitutions"]}
    assert called == given
    assert resource["DefinitionUri"] == f"statemachine/{machine}.asl.yaml"


def test_a_state_bears_the_name_of_its_function_or_of_what_it_is_for() -> None:
    own = {f"{camel(name)}": name for name in FUNCTIONS}
    for machine in MACHINES.values():
        for state, function in tasks(machine).items():
            called = function.removeprefix("${").removesuffix("FunctionArn}")
            assert state == called or state not in own, f"{state} calls {called}"


def test_every_error_that_a_machine_names_is_ours_or_awss() -> None:
    ours = {name for name, found in inspect.getmembers(errors, inspect.isclass)}
    awss = re.compile(r"^(States|Lambda|Sandbox|Runtime)\.\w+$")
    for machine in MACHINES.values():
        for name, state in states_of(machine).items():
            for rule in (*state.get("Retry", ()), *state.get("Catch", ())):
                for error in rule["ErrorEquals"]:
                    assert error in ours or awss.match(error), f"{name}: {error}"


def test_every_state_that_can_fail_goes_to_the_undo() -> None:
    """The first of a machine's undos ends it, whatever happens; a Shutdown that fails, or a target
    group that does not drain, does not keep an instance from going."""
    undo = {
        "bake": ["Teardown", "UndoCopy", "Missed"],
        "distribution": ["DistributionFailed", "UndoCopy", "Missed", "LeftBehind"],
        "rollout": ["FinishRollout", "UndoRollout", "UndoRefresh"],
        "instance": ["EndChange", "StopInstance", "MarkShutdown", "CanForce"],
        "configure": ["RoundsFailed", "ConfigureFailed"],
    }
    assert undo.keys() == MACHINES.keys()
    for name, machine in MACHINES.items():
        for state, found in states_of(machine).items():
            if found["Type"] in ("Task", "Map") and state != undo[name][0]:
                (rule,) = found["Catch"]
                assert rule["ErrorEquals"] == ["States.ALL"], state
                assert rule["Next"] in undo[name], state


def test_a_distribution_does_again_what_a_bake_did() -> None:
    """Two machines, one Map: what is mended in the one is mended in the other."""
    bake, again = (MACHINES[name]["States"]["Distribute"] for name in ("bake", "distribution"))
    assert bake["ItemProcessor"] == again["ItemProcessor"]
    assert (bake["Items"], bake["MaxConcurrency"]) == (again["Items"], again["MaxConcurrency"])


def test_every_class_in_the_error_tree_is_drawn() -> None:
    for name, found in inspect.getmembers(errors, inspect.isclass):
        if issubclass(found, errors.KilnError):
            assert name in (errors.__doc__ or ""), name


def test_who_takes_over_waits_until_no_function_of_its_machine_can_still_run() -> None:
    """A function that was under way goes on when its execution is stopped."""
    common = TEMPLATE["Globals"]["Function"]["Timeout"]
    waiting = {n: m for n, m in MACHINES.items() if "AwaitFunctions" in m["States"]}
    assert waiting.keys() == {"rollout", "instance", "distribution"}
    for machine in waiting.values():
        called = {f.removeprefix("${").removesuffix("Arn}") for f in tasks(machine).values()}
        own = [TEMPLATE["Resources"][name]["Properties"].get("Timeout", common) for name in called]
        assert machine["States"]["AwaitFunctions"]["Seconds"] > max(own)
