"""The launch agents: what EC2Config and both EC2Launch do at a boot, and their programs.

What each does, and which setting switches it: EC2 User Guide, "Configure your Windows instance"
with EC2Config, EC2Launch and EC2Launch v2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kiln_local.windows import xml
from kiln_local.windows.baseline import AGENTS
from kiln_local.windows.errors import NotHere

_CONFIG = r"C:\Program Files\Amazon\Ec2ConfigService\Settings\Config.xml"
_BUNDLE = r"C:\Program Files\Amazon\Ec2ConfigService\Settings\BundleConfig.xml"
_ANSWERS = r"C:\Program Files\Amazon\Ec2ConfigService\sysprep2008.xml"
_V1 = r"C:\ProgramData\Amazon\EC2-Windows\Launch\Config\LaunchConfig.json"
_V2 = r"C:\ProgramData\Amazon\EC2Launch\config\agent-config.yml"
_V2_LOG = r"C:\ProgramData\Amazon\EC2Launch\log\agent.log"


def at_boot(machine: Any, instance_id: str, user_data: bytes) -> None:
    """The agent's work at a boot, recorded in `done`: password, user data, computer name."""
    agent = AGENTS[machine.state["platform"]]
    wanted = {"ec2config": _ec2config, "v1": _v1, "v2": _v2}[agent](machine)
    done: list[str] = []
    if wanted.get("computer_name"):
        name = f"IP-{instance_id[-8:].upper()}"
        machine.state["computer_name"] = name
        done.append(f"computer name {name}")
    if wanted.get("password"):
        done.append(f"password {wanted['password']}")
    if wanted.get("user_data"):
        done.append(f"user data of {len(user_data)} bytes")
    machine.state["done"] = done
    machine.state["first_boot"] = {}


def _plugins(machine: Any) -> dict[str, Any]:
    document = xml.parse(machine.drive.read(_CONFIG))
    found = xml.call(document, "selectnodes", ["//Plugin"], machine)
    return {str(xml.get(plugin, "Name")): plugin for plugin in found}


def _ec2config(machine: Any) -> dict[str, Any]:
    """Plugins that are enabled run, and two of them switch themselves off. After Sysprep the
    password's plugin runs unless the bundle's settings say otherwise."""
    document = xml.parse(machine.drive.read(_CONFIG))
    plugins = xml.call(document, "selectnodes", ["//Plugin"], machine)
    on = {str(xml.get(p, "Name")): p for p in plugins if xml.get(p, "State") == "Enabled"}
    first = bool(machine.state["first_boot"])
    wanted = {
        "computer_name": "Ec2SetComputerName" in on,
        "password": "random" if first or "Ec2SetPassword" in on else "",
        "user_data": first or "Ec2HandleUserData" in on,
    }
    if first and _bundled(machine, "SetPasswordAfterSysprep") == "No":
        wanted["password"] = "specified" if _answer(machine) else ""
    for name in ("Ec2SetPassword", "Ec2HandleUserData"):
        if name in on:
            xml.put(on[name], "State", "Disabled")
    xml.call(document, "save", [_CONFIG], machine)
    return wanted


def _bundled(machine: Any, name: str) -> str:
    document = xml.parse(machine.drive.read(_BUNDLE))
    found = xml.call(document, "selectnodes", ["//Property"], machine)
    return next((str(xml.get(p, "Value")) for p in found if xml.get(p, "Name") == name), "")


def _answer(machine: Any) -> str:
    document = xml.parse(machine.drive.read(_ANSWERS))
    found = xml.call(document, "getelementsbytagname", ["AdministratorPassword"], machine)
    return str(xml.get(found[0], "Value") or "") if found else ""


def _v1(machine: Any) -> dict[str, Any]:
    """Runs where it was scheduled, by Sysprep or by InitializeInstance.ps1, once."""
    if not machine.state["first_boot"]:
        return {}
    config = json.loads(machine.drive.read(_V1))
    kind = {"Random": "random", "Specify": "specified"}.get(config["adminPasswordType"], "")
    if kind == "specified":
        # It takes the password out of the file when it has set it.
        machine.drive.write(_V1, json.dumps(config | {"adminPassword": ""}))
    return {
        "computer_name": config["setComputerName"],
        "password": kind,
        "user_data": config["handleUserData"],
    }


def _v2(machine: Any) -> dict[str, Any]:
    """Runs once for an instance, and again after a reset or Sysprep."""
    if not machine.state["first_boot"]:
        return {}
    text = machine.drive.read(_V2)
    machine.drive.write(_V2_LOG, "EC2Launch v2 has run\n")
    kind = "specified" if "type: static" in text else "random"
    return {
        "computer_name": "setHostName" in text,
        "password": kind if "setAdminAccount" in text else "",
        "user_data": True,
    }


def _launch_v2(machine: Any, arguments: list[str]) -> int:
    if arguments[:1] == ["sysprep"]:
        machine.sysprep()
        if "--shutdown=false" not in arguments:
            machine.power("off")
        return 0
    if arguments[:1] == ["reset"]:
        machine.state["first_boot"] = {"password": True, "user_data": True}
        return 0
    raise NotHere(f"EC2Launch.exe {' '.join(arguments)}")


def _launch_v1_sysprep(machine: Any, arguments: list[str]) -> int:
    machine.sysprep()
    if "-NoShutdown" not in arguments:
        machine.power("off")
    return 0


def _launch_v1_schedule(machine: Any, arguments: list[str]) -> int:
    if "-Schedule" not in arguments:
        raise NotHere("InitializeInstance.ps1 without -Schedule")
    machine.state["first_boot"] = {"password": True, "user_data": True}
    return 0


def _ec2config_program(machine: Any, arguments: list[str]) -> int:
    if "-sysprep" not in arguments:
        raise NotHere(f"Ec2Config.exe {' '.join(arguments)}")
    machine.sysprep()
    if "/shutdown" in machine.drive.read(_BUNDLE):
        machine.power("off")
    return 0


PROGRAMS: dict[str, Callable[[Any, list[str]], int]] = {
    "ec2launch.exe": _launch_v2,
    "sysprepinstance.ps1": _launch_v1_sysprep,
    "initializeinstance.ps1": _launch_v1_schedule,
    "ec2config.exe": _ec2config_program,
}
