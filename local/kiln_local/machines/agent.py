"""Runs a command document on an instance as the Systems Manager agent does (schema 2.2).

Numbers in the comments are the points of the notes on how the agent runs a document.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kiln_local.machines.parameters import Values, resolve, values_for
from kiln_local.machines.sandbox import Ended

MOST_REBOOTS = 15
_NOT_LINUX = frozenset({"aws:runPowerShellScript", "aws:psModule", "aws:applications"})
_ENVIRONMENT_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


@dataclass(frozen=True)
class RunOrder:
    """One command for one instance; `document` is its parsed content."""

    instance_id: str
    command_id: str
    document_name: str
    document: dict[str, Any]
    parameters: dict[str, list[str]]


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


@dataclass(frozen=True)
class DocumentRun:
    """A whole document as it ended. `ran` is False where a step could not be run here; `why_not`
    says why."""

    status: str
    steps: tuple[StepRun, ...]
    ran: bool
    why_not: str | None = None


class Machine(Protocol):
    """The instance that a document runs on."""

    @property
    def root(self) -> Path: ...

    def run(
        self, argv: list[str], environment: dict[str, str], timeout_s: float, cwd: str
    ) -> Ended: ...


def orchestration(instance_id: str, command_id: str) -> str:
    """Where the agent keeps a command's scripts, seen from inside the instance (19)."""
    return f"var/lib/amazon/ssm/{instance_id}/document/orchestration/{command_id}"


class DocumentRunner:
    """One run of one document. `machine` is asked for anew after each reboot."""

    def __init__(
        self,
        order: RunOrder,
        machine: Callable[[], Machine],
        on_reboot: Callable[[], None],
        speed: float,
    ) -> None:
        self._order = order
        self._machine = machine
        self._on_reboot = on_reboot
        self._speed = speed
        self._values: Values = values_for(order.document, order.parameters)

    def run(self) -> DocumentRun:
        """All steps in order, with the flow control that stands under `inputs` (3)."""
        done: list[StepRun] = []
        ending: str | None = None
        for step in self._order.document.get("mainSteps", ()):
            inputs = step.get("inputs", {})
            if ending is not None and not inputs.get("finallyStep"):
                continue
            result = self._step(step)
            done.append(result)
            ending = ending or _ending(inputs, result)
        return _summary(tuple(done), ending)

    def _step(self, step: dict[str, Any]) -> StepRun:
        name, plugin = str(step.get("name", "")), str(step.get("action", ""))
        if not _applies(step.get("precondition")):
            return StepRun(name, plugin, "Success", 0, "Step execution skipped: precondition.\n")
        if plugin in _NOT_LINUX:
            return StepRun(name, plugin, "Failed", 1, "", f"{plugin} does not run on Linux.\n")
        if plugin != "aws:runShellScript":
            said = f"The local AWS does not run {plugin}; this step was not run.\n"
            return StepRun(name, plugin, "Success", 0, said, ran=False)
        return self._shell(name, plugin, resolve(step.get("inputs", {}), self._values))

    def _shell(self, name: str, plugin: str, inputs: dict[str, Any]) -> StepRun:
        lines = inputs.get("runCommand")
        if lines is None:
            # 16: a missing runCommand reports Success.
            return StepRun(name, plugin, "Success", 0)
        if not isinstance(lines, list) or any(not isinstance(line, str) for line in lines):
            return StepRun(name, plugin, "Failed", 1, "", "runCommand is not a list of text.\n")
        if re.search(r"[ ;/]", name):
            # 18: such a name breaks the shell's path to the script.
            return StepRun(name, plugin, "Failed", 127, "", f"{name}: not found\n")
        folder = f"{orchestration(self._order.instance_id, self._order.command_id)}/{name}"
        outputs: list[Ended] = []
        for _ in range(MOST_REBOOTS + 1):
            outputs.append(self._once(folder, "\n".join(lines), inputs))
            if outputs[-1].exit_code != 194:
                break
            # 4: the agent reboots and runs the same step again.
            self._on_reboot()
        return _result(name, plugin, outputs)

    def _once(self, folder: str, script: str, inputs: dict[str, Any]) -> Ended:
        machine = self._machine()
        place = machine.root / folder
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "_script.sh").write_bytes(script.encode())
        (place / "_script.sh").chmod(0o700)
        cwd = str(inputs.get("workingDirectory") or "")
        ended = machine.run(
            # 1: run by `sh -c PATH`; 8: /usr/bin unless the directory is absolute.
            ["sh", "-c", f"/{folder}/_script.sh"],
            self._environment(inputs),
            max(1.0, _timeout(inputs) / self._speed),
            cwd if cwd.startswith("/") else "/usr/bin",
        )
        (place / "stdout").write_bytes(ended.stdout)
        (place / "stderr").write_bytes(ended.stderr)
        return ended

    def _environment(self, inputs: dict[str, Any]) -> dict[str, str]:
        """9: the agent's own few variables, HOME not among them, and what the step adds."""
        own = {
            "PATH": "/sbin:/bin:/usr/sbin:/usr/bin",
            "LANG": "C.UTF-8",
            "AWS_SSM_INSTANCE_ID": self._order.instance_id,
            "AWS_SSM_REGION_NAME": "local",
            "AWS_SSM_PLATFORM_NAME": "Linux",
            "SSM_COMMAND_ID": self._order.command_id,
        }
        added = inputs.get("environment") or {}
        return own | {k: str(v) for k, v in added.items() if _ENVIRONMENT_NAME.match(k)}


def _applies(precondition: Any) -> bool:
    """17: StringEquals with two arguments; platformType compares without case."""
    if not precondition:
        return True
    arguments = precondition.get("StringEquals", [])
    return len(arguments) == 2 and "linux" in (str(a).lower() for a in arguments)


def _timeout(inputs: dict[str, Any]) -> float:
    """6: 5 to 172800 seconds, otherwise silently 3600."""
    text = str(inputs.get("timeoutSeconds", 3600)).strip()
    seconds = int(text) if text.isdigit() else 3600
    return seconds if 5 <= seconds <= 172_800 else 3600


def _result(name: str, plugin: str, outputs: list[Ended]) -> StepRun:
    last = outputs[-1]
    stdout = b"".join(o.stdout for o in outputs).decode(errors="replace")
    stderr = b"".join(o.stderr for o in outputs).decode(errors="replace")
    status = {0: "Success", 168: "Success", 137: "TimedOut"}.get(last.exit_code, "Failed")
    return StepRun(name, plugin, status, last.exit_code, stdout, stderr)


def _ending(inputs: dict[str, Any], result: StepRun) -> str | None:
    """How the document ends here, if it does: by a code of its own (5) or by the step's inputs
    (3)."""
    if result.exit_code in (168, 169):
        return "Success" if result.exit_code == 168 else "Failed"
    if result.status == "Success":
        return "Success" if inputs.get("onSuccess") == "exit" else None
    rule = inputs.get("onFailure")
    if rule == "successAndExit":
        return "Success"
    return result.status if rule == "exit" else None


def _summary(steps: tuple[StepRun, ...], ending: str | None) -> DocumentRun:
    bad = next((step.status for step in steps if step.status != "Success"), None)
    status = ending if ending == "Success" else bad or ending or "Success"
    missed = next((step.stdout.strip() for step in steps if not step.ran), None)
    return DocumentRun(status, steps, missed is None, missed)
