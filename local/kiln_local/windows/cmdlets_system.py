"""Cmdlets on the system: services, features, event logs, accounts, and AWS's own."""

from __future__ import annotations

from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.strings import wildcard
from kiln_local.windows.values import Bag, items, text


def _named(found: list[Bag], call: Any, key: str = "Name") -> list[Any]:
    wanted = call.get("name", 0)
    if wanted is None:
        return list(found)
    patterns = [wildcard(text(name)) for name in items(wanted)]
    return [bag for bag in found if any(p.match(text(bag.get(key))) for p in patterns)]


def get_service(run: Any, call: Any) -> list[Any]:
    """Services with their state."""
    known = run.machine.state["services"]
    found = [Bag([("Name", n), ("Status", s)]) for n, s in sorted(known.items())]
    chosen = _named(found, call)
    wanted = call.get("name", 0)
    if not chosen and isinstance(wanted, str) and "*" not in wanted:
        raise ScriptError(f"Cannot find any service with service name '{wanted}'.")
    return chosen


def _setting(state: str) -> Any:
    def change(run: Any, call: Any) -> list[Any]:
        for service in get_service(run, call):
            run.machine.state["services"][service.get("Name")] = state
        return []

    return change


def set_service(run: Any, call: Any) -> list[Any]:
    """The start type; kept nowhere, since nothing here looks at it."""
    get_service(run, call)
    return []


def get_feature(run: Any, call: Any) -> list[Any]:
    """Roles and features of the server."""
    known = run.machine.state["features"]
    found = [Bag([("Name", n), ("Installed", on)]) for n, on in sorted(known.items())]
    return _named(found, call)


def install_feature(run: Any, call: Any) -> list[Any]:
    """A feature that the simulated server knows is marked installed; its files are not there."""
    for name in items(call.need("name", 0)):
        known = {n.lower(): n for n in run.machine.state["features"]}
        if text(name).lower() not in known:
            raise ScriptError(
                f"The target of the specified feature '{text(name)}' cannot be found."
            )
        run.machine.state["features"][known[text(name).lower()]] = True
        run.out.append(f"feature {text(name)}: marked installed; nothing was installed here")
    return [Bag([("Success", True), ("RestartNeeded", "No"), ("ExitCode", "Success")])]


def get_hot_fix(run: Any, call: Any) -> list[Any]:
    """Installed updates."""
    return _named([Bag([("HotFixID", i)]) for i in run.machine.state["hotfixes"]], call, "HotFixID")


def get_cim_instance(run: Any, call: Any) -> list[Any]:
    """The few classes that scripts here ask for."""
    name = text(call.need("classname|class", 0)).lower()
    state = run.machine.state
    if name == "win32_operatingsystem":
        return [Bag([("Caption", state["caption"]), ("Version", state["version"])], "cim")]
    if name == "win32_computersystem":
        return [Bag([("Name", state["computer_name"]), ("Domain", "WORKGROUP")], "cim")]
    if name == "win32_useraccount":
        sid = state["computer_sid"]
        return [
            Bag([("Name", n), ("SID", f"{sid}-{rid}"), ("LocalAccount", True)], "cim")
            for n, rid in (("Administrator", 500), ("Guest", 501))
        ]
    raise NotHere(f"class {name}")


def get_ui_culture(run: Any, _: Any) -> list[Any]:
    """The language that the system speaks."""
    return [Bag([("Name", run.machine.state["ui_language"])], "culture")]


def get_event_log(run: Any, call: Any) -> list[Any]:
    """With -List the logs, else the entries of one."""
    logs = run.machine.state["event_logs"]
    if call.has("list"):
        return [Bag([("Log", name), ("Entries", len(found))]) for name, found in logs.items()]
    found = logs.get(text(call.need("logname", 0)), [])
    return [Bag([("Message", entry)]) for entry in found]


def clear_event_log(run: Any, call: Any) -> list[Any]:
    """Empty logs."""
    for name in items(call.need("logname", 0)):
        run.machine.state["event_logs"][text(name)] = []
    return []


def get_secret(run: Any, call: Any) -> list[Any]:
    """Get-SECSecretValue of AWS Tools for PowerShell: the local AWS's Secrets Manager."""
    found = run.machine.secret(text(call.need("secretid", 0)))
    return [Bag([("SecretString", found)], "secret")]


def get_parameter(run: Any, call: Any) -> list[Any]:
    """Get-SSMParameterValue: the local AWS's Parameter Store."""
    value = run.machine.parameter(text(call.need("name|names", 0)))
    return [Bag([("Parameters", [Bag([("Value", value)], "parameter")])], "parameters")]


def _power(what: str) -> Any:
    def down(run: Any, _: Any) -> list[Any]:
        run.machine.power(what)
        return []

    return down


CMDLETS = {
    "get-service": get_service,
    "stop-service": _setting("Stopped"),
    "start-service": _setting("Running"),
    "restart-service": _setting("Running"),
    "set-service": set_service,
    "get-windowsfeature": get_feature,
    "install-windowsfeature": install_feature,
    "get-hotfix": get_hot_fix,
    "get-ciminstance": get_cim_instance,
    "get-wmiobject": get_cim_instance,
    "get-uiculture": get_ui_culture,
    "get-eventlog": get_event_log,
    "clear-eventlog": clear_event_log,
    "get-secsecretvalue": get_secret,
    "get-ssmparametervalue": get_parameter,
    "stop-computer": _power("off"),
    "restart-computer": _power("reboot"),
}
