"""A state machine as a graph: a parsed definition in, sentences about what is wrong out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

State = Mapping[str, Any]
States = Mapping[str, State]

ENDS = ("Succeed", "Fail")
# A state's keys as a reader meets them: what, with what, how long, what if, what then.
KEY_ORDER = (
    "Type",
    "Comment",
    "Resource",
    "Arguments",
    "Seconds",
    "Items",
    "MaxConcurrency",
    "ItemSelector",
    "ItemProcessor",
    "Branches",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "Retry",
    "Catch",
    "Choices",
    "Assign",
    "Output",
    "Error",
    "Cause",
    "Default",
    "Next",
    "End",
)


def problems(machine: Mapping[str, Any], name: str = "machine") -> Iterator[str]:
    """Sentences about one machine and every machine inside its Map and Parallel states."""
    states: States = machine.get("States") or {}
    yield from graph_problems(states, machine.get("StartAt"), name)
    for state_name, state in states.items():
        where = f"{name}.{state_name}"
        yield from state_problems(state, where, inner="." in name)
        for index, inner in enumerate(inner_machines(state)):
            yield from problems(inner, f"{where}.{index}")


def inner_machines(state: State) -> list[Mapping[str, Any]]:
    """The machines that a Map or a Parallel state runs."""
    return [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]


def targets(state: State) -> list[str]:
    """The states that may come right after this one."""
    choices = [choice.get("Next") for choice in state.get("Choices", [])]
    catchers = [catcher.get("Next") for catcher in state.get("Catch", [])]
    following = [state.get("Next"), state.get("Default"), *choices, *catchers]
    return [name for name in following if name is not None]


def reachable(states: States, start: str) -> set[str]:
    """Every state that some path from `start` enters."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in states and name not in found:
            found.add(name)
            waiting += targets(states[name])
    return found


def graph_problems(states: States, start: Any, name: str) -> Iterator[str]:
    """Names that nothing has, states that no path enters, states that no path leaves."""
    if start not in states:
        yield f"{name}: StartAt names {start!r}, which is no state"
        return
    for state_name, state in states.items():
        for target in targets(state):
            if target not in states:
                yield f"{name}.{state_name}: goes to {target!r}, which is no state"
    for unused in sorted(states.keys() - reachable(states, start)):
        yield f"{name}.{unused}: no path enters it"
    for state_name in states:
        if not any(is_end(states[after]) for after in reachable(states, state_name)):
            yield f"{name}.{state_name}: no path from it ends"


def is_end(state: State) -> bool:
    """Whether a path may stop in this state."""
    return state.get("Type") in ENDS or bool(state.get("End"))


def state_problems(state: State, where: str, inner: bool) -> Iterator[str]:
    """What is wrong with one state by itself; `inner` states of a Map or Parallel may use End."""
    kind = state.get("Type")
    leaves = kind in (*ENDS, "Choice") or "Next" in state or (inner and bool(state.get("End")))
    if not leaves:
        yield f"{where}: ends a path, but only Succeed and Fail may"
    if kind == "Choice" and "Default" not in state:
        yield f"{where}: has no Default, so an input that no rule matches ends the execution"
    if kind == "Task":
        yield from task_problems(state, where)
    known = [key for key in KEY_ORDER if key in state]
    if [*state] != known:
        yield f"{where}: write its keys in the order {', '.join(known)}"


def task_problems(state: State, where: str) -> Iterator[str]:
    """A task is retried, caught and, where it waits for a token, looks again."""
    for key in ("Retry", "Catch"):
        if not state.get(key):
            yield f"{where}: a Task needs {key}"
    if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
        retried = {error for rule in state.get("Retry", []) for error in rule["ErrorEquals"]}
        if "HeartbeatSeconds" not in state or "States.HeartbeatTimeout" not in retried:
            yield f"{where}: a wait needs HeartbeatSeconds and a Retry on States.HeartbeatTimeout"
