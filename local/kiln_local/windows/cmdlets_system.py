"""Cmdlets on the system: services, features, event logs, accounts, and AWS's own."""

from __future__ import annotations

from typing import Any

from kiln_local.windows.binding import takes
from kiln_local.windows.errors import NotHere, Refused, ScriptError
from kiln_local.windows.strings import wildcard
from kiln_local.windows.values import Bag, items, text


def _named(found: list[Bag], call: Any, key: str = "Name", parameter: str = "name") -> list[Any]:
    wanted = call.get(parameter, 0)
    if wanted is None:
        return list(found)
    patterns = [wildcard(text(name)) for name in items(wanted)]
    return [bag for bag in found if any(p.match(text(bag.get(key))) for p in patterns)]


def get_service(run: Any, call: Any) -> list[Any]:
    """Services with their state."""
    known = run.machine.state["services"]
    found = [Bag([("Name", n), ("Status", s)], "service") for n, s in sorted(known.items())]
    piped = [text(p.get("Name") if isinstance(p, Bag) else p) for p in call.piped]
    wanted = [text(name) for name in items(call.get("name", 0))] or piped
    for name in wanted:
        if "*" not in name and name.lower() not in map(str.lower, known):
            raise ScriptError(f"Cannot find any service with service name '{name}'.")
    patterns = [wildcard(name) for name in wanted or ["*"]]
    return [bag for bag in found if any(p.match(text(bag.get("Name"))) for p in patterns)]


def _setting(state: str) -> Any:
    def change(run: Any, call: Any) -> list[Any]:
        services = run.machine.state["services"]
        if call.get("name", 0) is None and not call.piped:
            raise Refused(f"{call.name}: a service's name is missing.")
        for service in get_service(run, call):
            run.journal.keep(services, service.get("Name"))
            services[service.get("Name")] = state
        return []

    return change


def set_service(run: Any, call: Any) -> list[Any]:
    """The start type; kept nowhere, since nothing here looks at it."""
    get_service(run, call)
    return []


def get_feature(run: Any, call: Any) -> list[Any]:
    """Roles and features of the server."""
    known = run.machine.state["features"]
    for name in items(call.get("name", 0)):
        if "*" not in text(name):
            _feature(known, text(name))
    found = [Bag([("Name", n), ("Installed", on)], "feature") for n, on in sorted(known.items())]
    return _named(found, call)


def _feature(known: dict[str, bool], name: str) -> str:
    """A feature as it is written. Windows has some hundreds; the simulated one few."""
    found = next((written for written in known if written.lower() == name.lower()), None)
    if found is None:
        raise NotHere(f"the feature {name}")
    return found


def install_feature(run: Any, call: Any) -> list[Any]:
    """A feature that the simulated server knows is marked installed; its files are not there."""
    known = run.machine.state["features"]
    wanted = [_feature(known, text(name)) for name in items(call.need("name", 0))]
    for name in wanted:
        run.journal.keep(known, name)
        known[name] = True
        run.out.append(f"feature {name}: marked installed; nothing was installed here")
    done = [("Success", True), ("RestartNeeded", "No"), ("ExitCode", "Success")]
    return [Bag(done, "installed")]


def get_hot_fix(run: Any, call: Any) -> list[Any]:
    """Installed updates."""
    found = [Bag([("HotFixID", i)], "hotfix") for i in run.machine.state["hotfixes"]]
    return _named(found, call, "HotFixID", "id")


def get_cim_instance(run: Any, call: Any) -> list[Any]:
    """The few classes that scripts here ask for."""
    name = text(call.need("classname|class", 0)).lower()
    state = run.machine.state
    only = text(call.get("filter")).replace(" ", "").lower()
    if only and (name, only) != ("win32_useraccount", "localaccount=true"):
        raise NotHere(f"{name} with a filter")
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
        return [Bag([("Log", name)], "log") for name in logs]
    return [Bag([("Message", m)], "entry") for m in logs[_log(run, call.need("logname", 0))]]


def _log(run: Any, name: Any) -> str:
    logs = run.machine.state["event_logs"]
    found = next((log for log in logs if log.lower() == text(name).lower()), None)
    if found is None:
        raise ScriptError(f"The event log '{text(name)}' does not exist.")
    return str(found)


def clear_event_log(run: Any, call: Any) -> list[Any]:
    """Empty logs."""
    for name in items(call.need("logname", 0)):
        run.journal.keep(run.machine.state["event_logs"], _log(run, name))
        run.machine.state["event_logs"][_log(run, name)] = []
    return []


def get_secret(run: Any, call: Any) -> list[Any]:
    """Get-SECSecretValue of AWS Tools for PowerShell: the local AWS's Secrets Manager."""
    found = run.machine.secret(text(call.need("secretid", 0)))
    return [Bag([("SecretString", found)], "secret")]


def get_parameter(run: Any, call: Any) -> list[Any]:
    """Get-SSMParameterValue: the local AWS's Parameter Store."""
    value = run.machine.parameter(text(call.need("name|names", 0)))
    return [Bag([("Parameters", [Bag([("Value", value)], "parameter")])], "parameters")]


def invoke_web_request(run: Any, call: Any) -> list[Any]:
    """What lies at an address, into a file; its answer as an object is not known here."""
    if not call.has("usebasicparsing") or call.get("outfile") is None:
        raise NotHere("Invoke-WebRequest without -UseBasicParsing and -OutFile")
    body = run.machine.around.fetch(text(call.need("uri", 0)))
    run.machine.drive.write_bytes(text(call.get("outfile")), body)
    return []


def _power(what: str) -> Any:
    def down(run: Any, _: Any) -> list[Any]:
        run.machine.power(what)
        return []

    return down


CMDLETS = {
    "get-service": (takes("name"), get_service),
    "stop-service": (takes("name", "force nowait"), _setting("Stopped")),
    "start-service": (takes("name"), _setting("Running")),
    "restart-service": (takes("name", "force"), _setting("Running")),
    "set-service": (takes("name startuptype"), set_service),
    "get-windowsfeature": (takes("name"), get_feature),
    "install-windowsfeature": (
        takes("name", "includemanagementtools includeallsubfeature restart"),
        install_feature,
    ),
    "get-hotfix": (takes("id"), get_hot_fix),
    "get-ciminstance": (takes("classname filter"), get_cim_instance),
    "get-wmiobject": (takes("class filter"), get_cim_instance),
    "get-uiculture": (takes("", places=0), get_ui_culture),
    "get-eventlog": (takes("logname", "list"), get_event_log),
    "clear-eventlog": (takes("logname"), clear_event_log),
    "get-secsecretvalue": (takes("secretid region"), get_secret),
    "get-ssmparametervalue": (takes("name names withdecryption region"), get_parameter),
    "invoke-webrequest": (takes("uri outfile timeoutsec", "usebasicparsing"), invoke_web_request),
    "stop-computer": (takes("", "force", places=0), _power("off")),
    "restart-computer": (takes("", "force", places=0), _power("reboot")),
}
