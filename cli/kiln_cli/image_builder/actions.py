"""AWSTOE's action modules as steps: one that has no command of its own becomes a script.

Inputs: EC2 Image Builder user guide, "Action modules supported by AWSTOE component manager".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps
from kiln_cli.image_builder import on_linux, on_windows
from kiln_cli.image_builder.managed import UPDATE, add_windows_update

_INSTEAD = {
    "Assert": "write it as a script that ends with another status than 0",
    "ExecuteDocument": "give that component's file too, and name its steps here",
    "ListFiles": "let a script do it, where its output is used",
    "ReadFile": "let a script do it, where its output is used",
    "SetFileEncoding": "let a script do it",
    "SetFolderEncoding": "let a script do it",
}
_FOLDER = {True: "Set-Location {}\n", False: "cd {}\n"}


def add_action(
    step: tuple[str, str, str], inputs: Any, steps: Steps, folder: str, more: dict[str, str]
) -> None:
    """Add a step; `step` is its action, its name and how notes call it, `folder` where commands
    run."""
    action, name, about = step
    if action == "Reboot":
        steps.add(about, name, {"reboot": True})
        return
    if action == "UpdateOS":
        _update(about, name, inputs, steps)
        return
    if action in ("ExecuteBash", "ExecutePowerShell"):
        _commands(step, inputs, steps, folder, more)
        return
    made = (on_windows.ACTIONS if steps.windows else on_linux.ACTIONS).get(action)
    if made is None:
        where = "Windows" if steps.windows else "Linux"
        reason = _INSTEAD.get(action, f"a step on {where} has nothing like it; let a script do it")
        steps.notes.want(about, action[:60] or "action", reason)
        return
    for number, one in enumerate(inputs if isinstance(inputs, list) else [inputs]):
        _script(made, one, (name, f"{about}, inputs.{number}"), steps, more)


def _script(
    made: Callable[[Settings], str | None],
    inputs: Any,
    called: tuple[str, str],
    steps: Steps,
    more: dict[str, str],
) -> None:
    name, about = called
    if not isinstance(inputs, dict):
        steps.notes.drop(about, "inputs", "is no mapping")
        return
    settings = Settings(inputs, about, steps.notes)
    before = len(steps.notes.wanted)
    text = made(settings)
    settings.finish({}, "the script has nothing like it")
    if text is None or len(steps.notes.wanted) > before:
        steps.notes.want(about, "inputs", "not all is known that it needs; it is left out")
        return
    steps.script(about, name, text, **more)


def _commands(
    step: tuple[str, str, str], inputs: Any, steps: Steps, folder: str, more: dict[str, str]
) -> None:
    action, name, about = step
    if (action == "ExecutePowerShell") != steps.windows:
        where = "Windows" if steps.windows else "Linux"
        steps.notes.drop(about, action, f"does not run on {where}")
        return
    settings = Settings(inputs if isinstance(inputs, dict) else {}, about, steps.notes)
    text = settings.script("commands")
    settings.finish({"file": "the script must be in the blueprint or in S3"}, "a step has no such")
    if text is None:
        steps.notes.want(about, "commands", "it has none; it is left out")
        return
    if not steps.windows and re.search(r"\bexit\s+194\b", text):
        reason = (
            "exit 194 restarts nothing: end the step there and write `reboot: true` as the next"
        )
        steps.notes.want(about, "commands", reason)
    quote = on_windows.quoted if steps.windows else on_linux.quoted
    head = "" if steps.windows or text.startswith("#!") else "#!/bin/bash\n"
    # A script with an interpreter of its own may not be one of a shell.
    place = _FOLDER[steps.windows].format(quote(folder)) if head or steps.windows else ""
    if not folder:
        place = ""
    steps.script(about, name, f"{head}{place}{text}\n", **more)


def _update(about: str, name: str, inputs: Any, steps: Steps) -> None:
    given = Settings(inputs if isinstance(inputs, dict) else {}, about, steps.notes)
    given.finish({}, "all is updated; let a script choose")
    if steps.windows:
        add_windows_update(about, steps)
        return
    steps.script(about, name, UPDATE)
