"""Provisioners as steps of a blueprint.

Settings: Packer documentation, "Provisioners". Systems Manager runs a step as root, or as SYSTEM.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln.domain.confidential import is_secret
from kiln.errors import InvalidBlueprint
from kiln_cli.elsewhere.beside import LARGEST_SCRIPT, read_beside, script_text
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps, batch, duration
from kiln_cli.elsewhere.values import reasons
from kiln_cli.packer.reasons import NEEDLESS, SCRIPT_SETTINGS, advice
from kiln_cli.packer.template import Part
from kiln_cli.packer.uploads import upload

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001, "us": 0, "µs": 0, "ns": 0}
_REBOOT = re.compile(r"^(sudo\s+)?(systemctl\s+reboot|reboot(\s+-f)?|shutdown\s+-r\s+(now|\+0|0))$")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")


@dataclass
class Context:
    """Where steps go and where scripts are."""

    steps: Steps
    folder: Path


def add_steps(part: Part, context: Context) -> None:
    """Add what a provisioner does, or say why it is not there."""
    settings = Settings(part.settings, part.about, context.steps.notes)
    windows = context.steps.windows
    wait = settings.text("pause_before")
    if wait and wait not in ("0", "0s"):
        settings.drop("pause_before", "a step begins when the one before it has ended")
    run = _RUN.get(part.kind)
    if run is None:
        reason = advice(part.kind, part.settings)
        # Without what the others do the image is another one.
        say = settings.notes.drop if part.kind in NEEDLESS else settings.notes.want
        say(part.about, part.kind[:60], reason)
        return
    if windows != (part.kind in _WINDOWS) and part.kind != "file":
        where = "Windows" if windows else "Linux"
        settings.notes.drop(part.about, part.kind, f"does not run on {where}")
        return
    run(settings, context)
    settings.finish(SCRIPT_SETTINGS, "a step has nothing like it")


def _shell(settings: Settings, context: Context) -> None:
    _scripts(settings, context, lambda text: _with_shebang(text, settings), "shell")


def _powershell(settings: Settings, context: Context) -> None:
    _scripts(settings, context, lambda text: text, "powershell")


def _batch(settings: Settings, context: Context) -> None:
    _scripts(settings, context, batch, "windows-shell")


def _restart(settings: Settings, context: Context) -> None:
    more = {"timeout": _timeout(settings, "restart_timeout")}
    context.steps.add(settings.about, "restart", {"reboot": True}, **more)


def _scripts(settings: Settings, context: Context, made: Callable[[str], str], kind: str) -> None:
    """The scripts of a provisioner: those in the template, or those beside it."""
    more = {"environment": _environment(settings), "timeout": _timeout(settings, "timeout")}
    about, windows = settings.about, context.steps.windows
    listed = settings.values.get("inline")
    inline = settings.script("inline")
    if inline is not None and not windows and _is_reboot(listed):
        settings.take("expect_disconnect")
        context.steps.add(about, "restart", {"reboot": True})
    elif inline is not None:
        context.steps.script(about, kind, made(f"{inline}\n"), **more)
    for name in [*settings.texts("script"), *settings.texts("scripts")]:
        called = name.replace("\\", "/").rsplit("/", 1)[-1]
        found = read_beside(name, context.folder, LARGEST_SCRIPT)
        if found.content is None and not found.missing:
            settings.want("script", f"{name[:100]} {found.why}; it is not among the steps")
            continue
        if found.missing:
            settings.want("script", f"{name[:100]} is not there; put it beside the blueprint")
            action = {"powershell" if windows else "shell": {"file": name}}
            context.steps.add(about, called, action, **more)
            continue
        try:
            text = script_text(found)
        except InvalidBlueprint as error:
            settings.want("script", f"{name[:100]} {error}; it is not among the steps")
            continue
        context.steps.script(
            about, called, text if kind != "windows-shell" else batch(text), **more
        )


def _is_reboot(listed: Any) -> bool:
    lines = listed if isinstance(listed, list) else [listed]
    return len(lines) == 1 and isinstance(lines[0], str) and bool(_REBOOT.match(lines[0].strip()))


def _with_shebang(text: str, settings: Settings) -> str:
    """With the interpreter that Packer gives to lines: /bin/sh -e where none is named."""
    given = settings.text("inline_shebang") or "/bin/sh -e"
    return text if text.startswith("#!") else f"#!{given.removeprefix('#!').strip()}\n{text}"


def _environment(settings: Settings) -> dict[str, str]:
    """Names and values of `environment_vars` (a list of NAME=value) and `env` (a mapping). What may
    be a secret by its name is left out."""
    found: dict[str, str] = {}
    for key in ("environment_vars", "env"):
        given = settings.take(key)
        for name, value in _pairs(given, settings, key):
            if not _NAME.match(name):
                settings.drop(f"{key}.{name[:40]}", "is no name of a variable")
            elif settings.explain(f"{key}.{name[:60]}", [value]):
                continue
            elif is_secret(name) and value:
                reason = "may be a secret by its name: let the step fetch it (docs/security.md)"
                settings.want(f"{key}.{name[:60]}", reason)
            else:
                found[name] = str(value)
    return found


def _pairs(given: Any, settings: Settings, key: str) -> list[tuple[str, str]]:
    if isinstance(given, dict):
        return [(name, value) for name, value in given.items() if isinstance(value, str)]
    if isinstance(given, str):
        given = [given]
    found = []
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, str) or "=" not in one:
            settings.explain(key, one)
            continue
        name, _, value = one.partition("=")
        why = reasons(one)
        if why:
            for reason in why:
                settings.want(f"{key}.{name[:60]}", reason)
            continue
        found.append((name.strip(), value))
    return found


def _timeout(settings: Settings, key: str) -> str:
    given = settings.text(key)
    if not given:
        return ""
    parts = _DURATION.findall(given[:40])
    if not parts or "".join(number + unit for number, unit in parts) != given:
        settings.drop(key, f"{given[:40]!r} is no duration")
        return ""
    return duration(sum(float(number[:9]) * _UNITS[unit] for number, unit in parts))


def _upload(settings: Settings, context: Context) -> None:
    upload(settings, context.steps, context.folder)


_WINDOWS = ("powershell", "windows-shell", "windows-restart")
_RUN: dict[str, Callable[[Settings, Context], None]] = {
    "shell": _shell,
    "powershell": _powershell,
    "windows-shell": _batch,
    "windows-restart": _restart,
    "file": _upload,
}
