"""Runs a command document on a simulated Windows, step by step, with the agent's rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln_local.machines.agent import MOST_REBOOTS, DocumentRun, RunOrder
from kiln_local.machines.parameters import resolve, values_for
from kiln_local.machines.steps import StepRun, ending, refusal, summary
from kiln_local.windows.machine import WindowsMachine

_REBOOT = 3010
SIMULATED = "PowerShell did not run: what its script does was applied to a simulated Windows"


class WindowsRunner:
    """One run of one document. `machine` is asked for anew after each reboot."""

    def __init__(
        self,
        order: RunOrder,
        machine: Callable[[], WindowsMachine],
        on_reboot: Callable[[], None],
    ) -> None:
        self._order = order
        self._machine = machine
        self._on_reboot = on_reboot
        self._values = values_for(order.document, order.parameters)
        self.went_off = False

    def run(self) -> DocumentRun:
        """All steps in order. A system that goes down takes its agent with it: then nobody tells
        how the document ended."""
        done: list[StepRun] = []
        for step in self._order.document.get("mainSteps", ()):
            result, leaves = ending(step.get("inputs", {}), self._step(step))
            done.append(result)
            if leaves or self.went_off:
                break
        status = "InProgress" if self.went_off else summary(done)
        return DocumentRun(status, tuple(done), False, SIMULATED)

    def _step(self, step: dict[str, Any]) -> StepRun:
        name, plugin = str(step.get("name", "")), str(step.get("action", ""))
        found = refusal(name, plugin, step.get("precondition"), self._values, "windows")
        return found or self._script(name, plugin, resolve(step.get("inputs", {}), self._values))

    def _script(self, name: str, plugin: str, inputs: dict[str, Any]) -> StepRun:
        lines = inputs.get("runCommand") or []
        out: list[str] = []
        err: list[str] = []
        code = 0
        for _ in range(MOST_REBOOTS):
            machine = self._machine()
            run = machine.interpreter(self._environment(inputs))
            try:
                code = run.run("\n".join(map(str, lines)) + "\n")
                machine.save()
            finally:
                machine.let_go()
            out += run.out
            err += run.err
            self.went_off = machine.wants == "off"
            if not (code == _REBOOT or machine.wants == "reboot") or self.went_off:
                break
            self._on_reboot()
        status = "Success" if code == 0 else "Failed"
        stdout, stderr = ("".join(f"{line}\n" for line in said) for said in (out, err))
        return StepRun(name, plugin, status, code, stdout, stderr, ran=False)

    def _environment(self, inputs: dict[str, Any]) -> dict[str, str]:
        own = {
            "AWS_SSM_INSTANCE_ID": self._order.instance_id,
            "AWS_SSM_REGION_NAME": "local",
            "AWS_SSM_PLATFORM_NAME": "Microsoft Windows Server",
            "SSM_COMMAND_ID": self._order.command_id,
        }
        return own | {
            k: v for k, v in (inputs.get("environment") or {}).items() if isinstance(v, str)
        }
