"""Runs a command document on an instance as the Systems Manager agent does (schema 2.2).

Numbers in the comments are the points of the notes on how the agent runs a document.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kiln_local.machines.parameters import Values, resolve, values_for
from kiln_local.machines.sandbox import Ended
from kiln_local.machines.starting import write_script
from kiln_local.machines.steps import StepRun, ending, refusal, summary
from kiln_local.machines.working import Limit

MOST_REBOOTS = 15
_REBOOT = 194
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
        self, argv: list[str], environment: dict[str, str], limit: Limit, cwd: str
    ) -> Ended: ...


def orchestration(instance_id: str, command_id: str) -> str:
    """Where the agent keeps a command's scripts, seen from inside the instance (19)."""
    return f"var/lib/amazon/ssm/{instance_id}/document/orchestration/{command_id}"


def not_run(document: dict[str, Any], why: str) -> DocumentRun:
    """What is recorded of a document where nothing can be run: no step of it, and why."""
    steps = tuple(
        StepRun(str(step.get("name", "")), str(step.get("action", "")), "Success", 0, ran=False)
        for step in document.get("mainSteps", ())
    )
    return DocumentRun("Success", steps, False, why)


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
        steps = list(self._order.document.get("mainSteps", ()))
        done: list[StepRun] = []
        ended = False
        for step in steps:
            inputs = step.get("inputs", {})
            # 3: only the last step can be one that runs in any case.
            last = step is steps[-1] and str(inputs.get("finallyStep")).lower() == "true"
            if ended and not last:
                continue
            result, leaves = ending(inputs, self._step(step))
            done.append(result)
            ended = ended or leaves
        missed = next((step.stdout.strip() for step in done if not step.ran), None)
        return DocumentRun(summary(done), tuple(done), missed is None, missed)

    def _step(self, step: dict[str, Any]) -> StepRun:
        name, plugin = str(step.get("name", "")), str(step.get("action", ""))
        found = refusal(name, plugin, step.get("precondition"), self._values)
        return found or self._shell(name, plugin, resolve(step.get("inputs", {}), self._values))

    def _shell(self, name: str, plugin: str, inputs: dict[str, Any]) -> StepRun:
        lines = inputs.get("runCommand")
        if lines is None:
            # 16: a missing runCommand reports Success.
            return StepRun(name, plugin, "Success", 0)
        if not isinstance(lines, list) or any(not isinstance(line, str) for line in lines):
            said = "Invalid format in plugin properties: runCommand is not a list of text\n"
            return StepRun(name, plugin, "Failed", 1, "", said)
        folder = f"{orchestration(self._order.instance_id, self._order.command_id)}/{name}"
        outputs: list[Ended] = []
        while True:
            outputs.append(self._once(folder, "\n".join(lines) + "\n", inputs))
            if outputs[-1].exit_code != _REBOOT or len(outputs) > MOST_REBOOTS:
                break
            # 4: the agent reboots and runs the same step again.
            self._on_reboot()
        return _result(name, plugin, outputs)

    def _once(self, folder: str, script: str, inputs: dict[str, Any]) -> Ended:
        machine = self._machine()
        if not machine.root.is_dir():
            return Ended(255, b"", b"the instance is gone\n")
        place = machine.root / folder
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        write_script(place / "_script.sh", script.encode(errors="surrogateescape"))
        cwd = str(inputs.get("workingDirectory") or "")
        ended = machine.run(
            # 1, 18: run by `sh -c PATH`, unquoted; 8: /usr/bin unless the directory is absolute.
            ["sh", "-c", f"/{folder}/_script.sh"],
            self._environment(inputs),
            Limit.of(_timeout(inputs), self._speed),
            cwd if cwd.startswith("/") else "/usr/bin",
        )
        if ended.exit_code == 125 and b"cannot change directory" in ended.stderr:
            # 8: what Go says where the directory is not there.
            ended = Ended(1, b"", b"fork/exec /usr/bin/sh: no such file or directory\n")
        # 19: a step that removes this folder loses its own output; so does one whose machine goes.
        with suppress(FileNotFoundError):
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
        strings = {k: v for k, v in added.items() if isinstance(v, str)}
        return own | {k: v for k, v in strings.items() if _ENVIRONMENT_NAME.match(k)}


def _timeout(inputs: dict[str, Any]) -> float:
    """6: 5 to 172800 seconds, otherwise silently 3600."""
    text = str(inputs.get("timeoutSeconds", 3600)).strip()
    seconds = int(text) if text.isascii() and text.isdigit() else 3600
    return seconds if 5 <= seconds <= 172_800 else 3600


def _result(name: str, plugin: str, outputs: list[Ended]) -> StepRun:
    last = outputs[-1]
    stdout = b"".join(o.stdout for o in outputs).decode(errors="replace")
    stderr = b"".join(o.stderr for o in outputs).decode(errors="replace")
    # 5: 137 is a time-out even where the script itself says it.
    status = {0: "Success", 137: "TimedOut"}.get(last.exit_code, "Failed")
    return StepRun(name, plugin, status, last.exit_code, stdout, stderr)
