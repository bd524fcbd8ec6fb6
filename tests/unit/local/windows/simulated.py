"""Builders for the simulated Windows: a machine, a script on it, a document on it."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kiln_local.machines.agent import DocumentRun, RunOrder
from kiln_local.windows.agent import WindowsRunner
from kiln_local.windows.baseline import make_windows
from kiln_local.windows.machine import Around, WindowsMachine, nowhere

HERE = Path(__file__).parents[4]
PLATFORMS = ("windows-2012-r2", "windows-2016", "windows-2019", "windows-2022", "windows-2025")
NOW = datetime(2024, 2, 29, 13, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What a script left to be read."""

    code: int
    out: list[str]
    err: list[str]
    unknown: list[str]


def no_client(service: str) -> Any:
    """For scripts that ask nothing of AWS."""
    raise AssertionError(f"{service} was asked")


def an_around(
    client: Callable[[str], Any] = no_client,
    slept: list[float] | None = None,
    fetch: Callable[[str], bytes] = nowhere,
) -> Around:
    """A world whose clock stands still; sleeps are counted in `slept`."""
    return Around(lambda: NOW, ([] if slept is None else slept).append, client, fetch)


def a_machine(
    root: Path,
    platform: str = "windows-2022",
    language: str = "en-US",
    around: Around | None = None,
) -> WindowsMachine:
    """A base image that nobody has booted."""
    make_windows(root, platform, language)
    return WindowsMachine(root, around or an_around())


def a_builder(
    root: Path, platform: str = "windows-2022", around: Around | None = None
) -> WindowsMachine:
    """A booted instance."""
    machine = a_machine(root, platform, around=around)
    machine.boot("i-0builder", b"")
    return machine


def again(machine: WindowsMachine) -> WindowsMachine:
    """The machine as it is on its disk."""
    return WindowsMachine(machine.root, machine.around)


def a_clone(machine: WindowsMachine, root: Path, user_data: bytes = b"") -> WindowsMachine:
    """Another instance, booted from a copy of this one's disk."""
    shutil.copytree(machine.root, root)
    clone = WindowsMachine(root, machine.around)
    clone.boot("i-0000000clone0001", user_data)
    return clone


def run(machine: WindowsMachine, script: str, **environment: str) -> Told:
    """Apply a script."""
    interpreter = machine.interpreter(environment)
    code = interpreter.run(script)
    return Told(code, interpreter.out, interpreter.err, interpreter.unknown)


def b64(value: str) -> str:
    """As documents get what a user wrote."""
    return base64.b64encode(value.encode()).decode()


@cache
def document(name: str) -> dict[str, Any]:
    """One of Kiln's documents."""
    found: dict[str, Any] = yaml.safe_load((HERE / f"documents/{name}.yaml").read_text())
    return found


def send(machine: WindowsMachine, name: str, **parameters: str) -> DocumentRun:
    """Run one of Kiln's documents; a reboot boots the machine anew."""
    given = {key: [value] for key, value in parameters.items()}
    return send_document(machine, document(name), given)


def send_document(
    machine: WindowsMachine, content: dict[str, Any], given: dict[str, list[str]] | None = None
) -> DocumentRun:
    """Run a document."""
    order = RunOrder("i-0builder", "c-1", "a-document", content, given or {})
    reboot = lambda: again(machine).boot("i-0builder", b"")  # noqa: E731
    return WindowsRunner(order, lambda: again(machine), reboot).run()


def everything(machine: WindowsMachine) -> dict[str, Any]:
    """All that a script can change: files with their times, the registry, the rest."""
    machine.save()
    found: dict[str, Any] = {"wants": machine.wants}
    for path in sorted((machine.root / "C").rglob("*")):
        found[str(path)] = (path.stat().st_mtime_ns, path.read_bytes()) if path.is_file() else None
    for name in ("registry.json", "state.json"):
        found[name] = json.loads((machine.root / name).read_text())
    return found


@dataclass(frozen=True)
class Case:
    """A script, and what Windows PowerShell 5.1 puts out for it."""

    name: str
    script: str
    lines: list[str]


def cases(name: str) -> list[Case]:
    """A file of `cases/`: `=== name`, the script, `---`, the lines of its output."""
    whole = "\n" + (HERE / f"tests/unit/local/windows/cases/{name}.txt").read_text()
    found = []
    for block in whole.removesuffix("\n").split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        script, _, said = rest.removesuffix("\n").partition("\n---")
        found.append(Case(title, script, said[1:].split("\n") if said else []))
    return found
