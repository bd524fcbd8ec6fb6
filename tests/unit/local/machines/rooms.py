"""Builders for the machine room's tests: births, orders, one-step documents."""

from __future__ import annotations

import itertools
from typing import Any

from kiln_local.machines import Birth, DocumentRun, MachineRoom, RunOrder

_numbers = itertools.count(1)


def a_birth(platform: str, chef: str | None = None, key_name: str | None = None) -> Birth:
    """An instance with an id and an address of its own."""
    number = next(_numbers)
    address = f"10.0.{number // 250}.{number % 250 + 4}"
    name = f"ip-{address.replace('.', '-')}.eu-west-1.compute.internal"
    return Birth(f"i-{number:017x}", platform, "x86_64", address, name, chef, key_name)


def launched(room: MachineRoom, platform: str, chef: str | None = None) -> str:
    """A running instance of a platform's base image."""
    room.add_base_image(f"ami-{platform}", platform)
    birth = a_birth(platform, chef)
    room.create(birth, f"ami-{platform}")
    room.boot(birth.instance_id)
    return birth.instance_id


def cloned(room: MachineRoom, instance: str, platform: str) -> str:
    """A running clone of an instance, which is shut down for it."""
    room.shut_down(instance)
    room.capture(instance, f"ami-of-{instance}")
    birth = a_birth(platform)
    room.create(birth, f"ami-of-{instance}")
    room.boot(birth.instance_id)
    return birth.instance_id


def said(room: MachineRoom, instance: str, script: str) -> str:
    """What a script says on standard output, run as root on an instance."""
    return room.enter(instance, ["sh", "-c", script]).stdout.decode().strip()


def ended(room: MachineRoom, instance: str, script: str) -> int:
    """A script's exit code, run as root on an instance."""
    return room.enter(instance, ["sh", "-c", script]).exit_code


def a_step(script: str, name: str = "step", **inputs: Any) -> dict[str, Any]:
    """A shell step."""
    return {
        "name": name,
        "action": "aws:runShellScript",
        "inputs": {"runCommand": [script], **inputs},
    }


def a_document(*steps: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """A command document with steps and the specifications of its parameters."""
    return {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}


def an_order(
    instance: str, document: dict[str, Any], parameters: dict[str, list[str]] | None = None
) -> RunOrder:
    """A command for one instance."""
    return RunOrder(instance, f"c-{next(_numbers)}", "a-document", document, parameters or {})


def run(room: MachineRoom, instance: str, *steps: dict[str, Any]) -> DocumentRun:
    """Run steps as one document; a reboot really reboots."""

    def reboot() -> None:
        room.shut_down(instance)
        room.boot(instance)

    return room.run(an_order(instance, a_document(*steps)), reboot)
