"""From what a user wants run to a Systems Manager document and its parameters.

No value is ever pasted into a script: Systems Manager replaces `{{ Name }}` textually, so whatever
a user wrote travels as base64, whose alphabet means nothing to any shell, and reaches the script
through its environment.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.durations import seconds
from kiln.domain.platforms import Family
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiln.domain.app import App
    from kiln.domain.blueprint import Blueprint
    from kiln.domain.step import Ansible, Chef, Step

# What a command of a bake is for. A seal is called a bundle where it makes one.
BakePurpose = Literal["step", "inspect", "prepare", "clean", "seal", "bundle", "verify", "test"]
# ... and of a lifecycle event; `files` puts in place what its recipes read.
Purpose = Literal[BakePurpose, "files", "setup", "configure", "deploy", "undeploy", "shutdown"]


@dataclass(frozen=True)
class DocumentCall:
    """A document by its short name (`run-shell`) or, with `ours` False, by its full name."""

    name: str
    parameters: dict[str, list[str]]
    timeout_s: int
    ours: bool = True


def encoded(text: str) -> str:
    """Base64 of UTF-8."""
    return base64.b64encode(text.encode()).decode()


def encoded_lines(lines: tuple[str, ...]) -> str:
    """Base64 of lines, one value a line."""
    return encoded("\n".join(lines))


def for_step(step: Step, script: str | None = None, windows: bool = False) -> DocumentCall:
    """How a step of a blueprint runs; `script` is the text of one that lies in S3."""
    timeout = seconds(step.timeout)
    if step.reboot:
        return DocumentCall("reboot-windows" if windows else "reboot-linux", {}, timeout)
    if step.chef:
        return DocumentCall("AWS-ApplyChefRecipes", _chef(step.chef, timeout), timeout, ours=False)
    if step.ansible:
        return DocumentCall(
            "AWS-ApplyAnsiblePlaybooks", _ansible(step.ansible, timeout), timeout, ours=False
        )
    if step.document:
        given = step.document.parameters
        parameters = {key: [v] if isinstance(v, str) else list(v) for key, v in given.items()}
        return DocumentCall(step.document.name, parameters, timeout, ours=False)
    if step.app:
        return for_app(step.app, timeout)
    name = "run-powershell" if windows else "run-shell"
    return _script(name, step, script if step.script else step.shell or step.powershell)


def for_app(app: App, timeout: int) -> DocumentCall:
    """How a revision is put in place, by a bake or a deploy alike."""
    parameters = {
        "Source": [encoded(app.source.as_json())],
        "Path": [encoded(app.path)],
        "Timeout": [str(timeout)],
    }
    return DocumentCall("place-app", parameters, timeout)


def _script(name: str, step: Step, script: object) -> DocumentCall:
    if not isinstance(script, str):
        raise InvalidBlueprint(
            f"step {step.name!r}: {step.action}.file is read by the kiln command; send the "
            "script's text instead"
        )
    lines = tuple(f"{name}={encoded(value)}" for name, value in step.environment.items())
    parameters = {
        "Script": [encoded(script)],
        "Environment": [encoded_lines(lines)],
        "Timeout": [str(seconds(step.timeout))],
    }
    return DocumentCall(name, parameters, seconds(step.timeout))


def source_parameters(source: Mapping[str, Any]) -> dict[str, list[str]]:
    """Where AWS's documents for Chef and Ansible find cookbooks and playbooks; `source` is a
    SourceInfo with its type beside its keys."""
    keys = {name: value for name, value in source.items() if name != "type"}
    return {"SourceType": [str(source.get("type", "S3"))], "SourceInfo": [json.dumps(keys)]}


def _chef(chef: Chef, timeout: int) -> dict[str, list[str]]:
    return source_parameters(chef.source) | {
        "RunList": [",".join(chef.run_list)],
        "JsonAttributesContent": [json.dumps(chef.attributes)],
        # None: use the client that the image has, so that no licence is accepted for the user.
        "ChefClientVersion": ["None"],
        "ChefExecutionTimeout": [str(timeout)],
    }


def _ansible(ansible: Ansible, timeout: int) -> dict[str, list[str]]:
    return source_parameters(ansible.source) | {
        "InstallDependencies": ["True"],
        "PlaybookFile": [ansible.playbook],
        "TimeoutSeconds": [str(timeout)],
    }


def for_prepare(blueprint: Blueprint) -> DocumentCall:
    """Release lock, `/tmp`, package manifest and identity facts, before anything is removed."""
    if _on_windows(blueprint):
        return DocumentCall("prepare-windows", _sysprep(blueprint), 1800)
    parameters = {"Platform": [blueprint.platform], "ReleaseLock": [blueprint.release_lock]}
    return DocumentCall("prepare-linux", parameters, 1800)


def for_inspect(blueprint: Blueprint) -> DocumentCall:
    """What a Windows builder must be, looked at before anything on it changes."""
    return DocumentCall("inspect-windows", {"Platform": [blueprint.platform]}, 600)


def for_seal(blueprint: Blueprint) -> DocumentCall:
    """Sysprep, or the settings of a Windows image without it. Ends in a shutdown."""
    reference = blueprint.windows.password_reference if blueprint.windows else ""
    parameters = _sysprep(blueprint) | {"PasswordReference": [reference]}
    return DocumentCall("seal-windows", parameters, 3600)


def for_clean(blueprint: Blueprint, bake: str) -> DocumentCall:
    """The platform's clean-up."""
    parameters = _cleaned(blueprint) | {"Bake": [bake], "Blueprint": [blueprint.name]}
    return DocumentCall(_named("clean", blueprint), parameters, 1800)


def for_verify(blueprint: Blueprint, builder: str) -> DocumentCall:
    """What must be gone, what must be kept, and the clone's own identity."""
    own = _sysprep(blueprint) if _on_windows(blueprint) else {}
    parameters = _cleaned(blueprint) | own | {"BuilderInstance": [builder]}
    return DocumentCall(_named("verify", blueprint), parameters, 1800)


def _on_windows(blueprint: Blueprint) -> bool:
    return blueprint.family is Family.WINDOWS


def _named(name: str, blueprint: Blueprint) -> str:
    return f"{name}-windows" if _on_windows(blueprint) else f"{name}-linux"


def _sysprep(blueprint: Blueprint) -> dict[str, list[str]]:
    return {"Sysprep": [str(blueprint.sysprep).lower()]}


def _cleaned(blueprint: Blueprint) -> dict[str, list[str]]:
    paths = {
        "AlsoRemove": [encoded_lines(blueprint.clean.also_remove)],
        "Keep": [encoded_lines(blueprint.clean.keep)],
    }
    if _on_windows(blueprint):
        return paths
    return paths | {"Platform": [blueprint.platform], "Chef": [blueprint.chef or "none"]}
