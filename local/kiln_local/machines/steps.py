"""What the agent makes of one step: whether it is run at all, how it counts, whether the document
goes on after it.

Numbers in the comments are the points of the notes on how the agent runs a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kiln_local.machines.parameters import Values, resolve

# Begins the action of a document of AWS's that the local AWS knows by name alone.
NOT_HERE = "not here: "
_SHELL = "aws:runShellScript"
_SUCCEED, _FAIL = 168, 169
# The agent knows these and has them on Linux; the local AWS does not imitate them.
_ELSEWHERE = frozenset(
    {
        *("aws:configureDocker", "aws:configurePackage", "aws:downloadContent", "aws:runDocument"),
        *("aws:refreshAssociation", "aws:runDockerAction", "aws:softwareInventory"),
        *("aws:updateSsmAgent", "aws:domainJoin"),
    }
)
# The agent knows these and skips them on Linux.
_WINDOWS = frozenset({"aws:applications", "aws:cloudWatch", "aws:psModule", "aws:updateAgent"})
_POWERSHELL = "aws:runPowerShellScript"


@dataclass(frozen=True)
class StepRun:
    """One step as it ended. Output is whole; the API cuts it. `status` as Run Command names it."""

    name: str
    plugin: str
    status: str
    exit_code: int
    stdout: str = ""
    stderr: str = ""
    ran: bool = True


def refusal(
    name: str, plugin: str, precondition: Any, values: Values, system: str = "linux"
) -> StepRun | None:
    """How a step counts that is not run: skipped (a success), failed, or not imitated. None where
    it is to be run."""
    if plugin.startswith(NOT_HERE):
        return _not_run(name, plugin, plugin.removeprefix(NOT_HERE))
    applies, reasons = _judge(precondition, values, system)
    if plugin not in {_SHELL, _POWERSHELL} | _ELSEWHERE | _WINDOWS:
        said = f"Plugin with name {plugin} is not supported by this version of ssm agent"
        return StepRun(name, plugin, "Failed", 0, "", f"{said}. Step name: {name}\n")
    if plugin in _WINDOWS:
        return _skipped(name, plugin, f"unsupported plugin: {plugin}")
    if not applies:
        return _skipped(name, plugin, f"unsatisfied preconditions: '{', '.join(reasons)}'")
    if reasons:
        # 17: anything but a comparison that the agent knows fails the step.
        said = f"Unrecognized precondition(s): '{', '.join(reasons)}'. Step name: {name}\n"
        return StepRun(name, plugin, "Failed", 0, "", said)
    return _elsewhere(name, plugin, system)


def _elsewhere(name: str, plugin: str, system: str) -> StepRun | None:
    if system == "windows" and plugin in (_POWERSHELL, _SHELL):
        if plugin == _POWERSHELL:
            return None
        return _skipped(name, plugin, f"unsupported plugin: {plugin}")
    if plugin == _POWERSHELL:
        # 17: attempted without a precondition, and there is no PowerShell.
        said = "fork/exec pwsh: executable file not found in $PATH\n"
        return StepRun(name, plugin, "Failed", 1, "", said)
    if plugin != _SHELL:
        return _not_run(name, plugin, plugin)
    return None


def _not_run(name: str, plugin: str, what: str) -> StepRun:
    said = f"The local AWS does not run {what}; this step was not run.\n"
    return StepRun(name, plugin, "Success", 0, said, ran=False)


def _skipped(name: str, plugin: str, reason: str) -> StepRun:
    said = f"Step execution skipped due to {reason}. Step name: {name}\n"
    return StepRun(name, plugin, "Success", 0, said)


def _judge(precondition: Any, values: Values, system: str) -> tuple[bool, list[str]]:
    """Whether a precondition holds, and what is to be said of it (17)."""
    applies, reasons = True, []
    for operator, arguments in (precondition or {}).items():
        if operator != "StringEquals":
            reasons.append(f'unrecognized operator: "{operator}"')
        elif not isinstance(arguments, list) or len(arguments) != 2:
            reasons.append(f'"{operator}": operator accepts exactly 2 arguments')
        else:
            holds, reason = _compare([str(argument) for argument in arguments], values, system)
            applies = applies and holds
            reasons += [f'"{operator}": {reason}'] if reason else []
    return applies, reasons


def _compare(arguments: list[str], values: Values, system: str) -> tuple[bool, str]:
    """StringEquals: against platformType without case, or with a parameter in it; the rest is
    unknown to the agent."""
    shown = f"[{arguments[0]}, {arguments[1]}]"
    if arguments[0] == arguments[1]:
        return True, "operator's arguments can't be identical"
    if "platformType" in arguments:
        other = arguments[1] if arguments[0] == "platformType" else arguments[0]
        return (True, "") if other.lower() == system else (False, shown)
    resolved = [str(resolve(argument, values)) for argument in arguments]
    if resolved == arguments:
        return True, "at least one of operator's arguments must contain a valid document parameter"
    return (True, "") if resolved[0] == resolved[1] else (False, shown)


def ending(inputs: dict[str, Any], step: StepRun) -> tuple[StepRun, bool]:
    """A step as it counts, and whether the document ends with it: by an exit code of its own (5)
    or by its inputs (3). A time-out is no failure to `onFailure` (runpluginutil.go)."""
    if step.exit_code == _SUCCEED:
        return replace(step, status="Success", stderr=""), True
    if step.exit_code == _FAIL:
        return step, True
    if step.status == "Failed" and inputs.get("onFailure") == "successAndExit":
        return replace(step, status="Success", exit_code=_SUCCEED), True
    if step.status == "Failed":
        return step, inputs.get("onFailure") == "exit"
    return step, step.status == "Success" and inputs.get("onSuccess") == "exit"


def summary(steps: Sequence[StepRun]) -> str:
    """A document's status: failed where a step failed, else timed out where one was. The agent
    keeps results by name, so that of steps with one name only the last counts (18)."""
    found = {step.name: step.status for step in steps}.values()
    return next((status for status in ("Failed", "TimedOut") if status in found), "Success")
