"""Cmdlets on objects in a pipeline, on text and on time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kiln_local.windows import dotnet, json_text, members, objects
from kiln_local.windows.binding import takes
from kiln_local.windows.errors import NotHere, Refused, ScriptError
from kiln_local.windows.operators import compare
from kiln_local.windows.values import Bag, folded, items, number, one, text, truth


def for_each(run: Any, call: Any) -> list[Any]:
    """ForEach-Object with a block, or with a property's name."""
    what = call.need("process|membername", 0)
    if isinstance(what, str):
        return [value for item in call.piped for value in items(members.get(item, what))]
    for item in call.piped:
        run.each(what, item)
    return []


def where(run: Any, call: Any) -> list[Any]:
    """Where-Object with a block, or `Name -eq value`."""
    what = call.need("filterscript|property", 0)
    if not isinstance(what, str):
        return [item for item in call.piped if _holds(run, what, item)]
    used = [name for name in call.named if name in _OPERATORS.split()]
    if len(used) > 1:
        raise NotHere("Where-Object with several operators")
    if not used:
        return [item for item in call.piped if truth(members.get(item, what))]
    wanted = call.named[used[0]]
    return [
        i
        for i in call.piped
        if truth(compare(members.get(i, what), used[0], wanted, run.variables))
    ]


def _holds(run: Any, block: Any, item: Any) -> bool:
    return truth(one(run.captured(lambda: run.each(block, item))))


def select(_: Any, call: Any) -> list[Any]:
    """First, last, some properties, or one expanded."""
    found = list(call.piped)
    if "skip" in call.named:
        found = found[int(number(call.named["skip"])) :]
    if "first" in call.named:
        found = found[: int(number(call.named["first"]))]
    elif "last" in call.named:
        found = found[max(0, len(found) - int(number(call.named["last"]))) :]
    if "expandproperty" in call.named:
        name = text(call.named["expandproperty"])
        found = [value for item in found for value in items(members.get(item, name, strict=True))]
    names = _names(items(call.get("property", 0)))
    if names:
        found = [Bag([(name, members.get(item, name)) for name in names]) for item in found]
    return _unique(found, case=True) if call.has("unique") else found


def _names(given: list[Any]) -> list[str]:
    """Plain names of properties."""
    if any(not isinstance(name, str) or set("*?") & set(name) for name in given):
        raise NotHere("properties that are no plain names")
    return [text(name) for name in given]


def _unique(values: list[Any], case: bool) -> list[Any]:
    if any(isinstance(value, Bag) for value in values):
        raise NotHere("-Unique of objects")
    seen: dict[str, Any] = {}
    for value in values:
        seen.setdefault(folded(value, case), value)
    return list(seen.values())


def sort(_: Any, call: Any) -> list[Any]:
    """Sort-Object, by itself or by properties."""
    names = _names(items(call.get("property", 0)))

    def key(item: Any) -> list[tuple[int, Any]]:
        return [_order(members.get(item, name)) for name in names] or [_order(item)]

    found = sorted(call.piped, key=key, reverse=call.has("descending"))
    return _unique(found, case=False) if call.has("unique") else found


def _order(value: Any) -> tuple[int, Any]:
    if isinstance(value, datetime):
        return 0, value.timestamp()
    return (0, value) if isinstance(value, (int, float)) else (1, text(value).lower())


def measure(_: Any, call: Any) -> list[Any]:
    """Measure-Object: how many, and with -Sum how much."""
    names = _names(items(call.get("property", 0)))
    values = [members.get(i, names[0]) if names else i for i in call.piped]
    found: list[tuple[str, int | float]] = [("Count", len(values))]
    if call.has("sum"):
        found.append(("Sum", sum(map(number, values))))
    return [Bag(found, "measure")]


def from_json(_: Any, call: Any) -> list[Any]:
    """ConvertFrom-Json; an array is one object, as Windows PowerShell gives it."""
    source = call.get("inputobject", 0)
    given = call.piped if source is None else items(source)
    return [json_text.read("\n".join(text(line) for line in given))]


def to_json(_: Any, call: Any) -> list[Any]:
    """ConvertTo-Json."""
    value = call.get("inputobject", 0)
    value = one(call.piped) if value is None else value
    depth = int(number(call.get("depth", None, 2)))
    return [json_text.written(value, depth, call.has("compress"))]


def new_object(run: Any, call: Any) -> list[Any]:
    """New-Object."""
    given = items(call.get("argumentlist", 1))
    made = dotnet.new(text(call.need("typename", 0)), given, run.machine)
    properties = call.get("property")
    if isinstance(properties, Bag):
        made = Bag(properties.items())
    return [made]


def out_null(_: Any, __: Any) -> list[Any]:
    """Nothing."""
    return []


def out_string(_: Any, call: Any) -> list[Any]:
    """The text as it would be shown."""
    return ["".join(f"{line}\r\n" for item in call.piped for line in objects.shown(item))]


def write_output(_: Any, call: Any) -> list[Any]:
    """Its arguments."""
    given = [*call.positional, *items(call.get("inputobject")), *call.piped]
    return [item for value in given for item in items(value)]


def write_host(run: Any, call: Any) -> list[Any]:
    """To the output, not into the pipeline."""
    run.out.append(" ".join(text(v) for v in (*call.positional, *items(call.get("object")))))
    return []


def write_warning(run: Any, call: Any) -> list[Any]:
    """As the agent shows it, on the output."""
    run.out.append(f"WARNING: {text(call.get('message', 0))}")
    return []


def write_error(_: Any, call: Any) -> list[Any]:
    """An error of the script's own."""
    raise ScriptError(text(call.need("message", 0)))


def get_date(run: Any, call: Any) -> list[Any]:
    """Now, by the local AWS's clock; with -Format as text."""
    now: datetime = run.machine.now().astimezone(UTC)
    form = call.get("format")
    return [members.call(now, "ToString", [form], run.machine) if form else now]


def start_sleep(run: Any, call: Any) -> list[Any]:
    """Simulated seconds."""
    seconds = (
        number(call.get("seconds|s", 0, 0)) + number(call.get("milliseconds|ms", None, 0)) / 1000
    )
    if seconds < 0:
        raise Refused("Start-Sleep: the argument is less than 0.")
    run.machine.sleep(float(seconds))
    return []


def strict(run: Any, call: Any) -> list[Any]:
    """Set-StrictMode: what was never set is an error from now on."""
    run.strict = not call.has("off")
    return []


_OPERATORS = """eq ne gt ge lt le like notlike match notmatch contains notcontains in notin ceq cne
    cgt cge clt cle clike cnotlike cmatch cnotmatch ccontains cnotcontains cin cnotin"""
CMDLETS = {
    "foreach-object": (takes("process membername inputobject"), for_each),
    "where-object": (takes(f"filterscript property {_OPERATORS}", places=2), where),
    "select-object": (takes("property first last skip expandproperty", "unique"), select),
    "sort-object": (takes("property", "descending unique"), sort),
    "measure-object": (takes("property", "sum"), measure),
    "convertfrom-json": (takes("inputobject"), from_json),
    "convertto-json": (takes("inputobject depth", "compress"), to_json),
    "new-object": (takes("typename argumentlist property", places=2), new_object),
    "out-null": (takes("inputobject"), out_null),
    "out-string": (takes("", places=0), out_string),
    "write-output": (takes("inputobject", places=99), write_output),
    "write-host": (takes("object foregroundcolor backgroundcolor", places=99), write_host),
    "write-warning": (takes("message"), write_warning),
    "write-verbose": (takes("message"), out_null),
    "write-debug": (takes("message"), out_null),
    "write-information": (takes("messagedata tags", places=2), out_null),
    "write-progress": (takes("activity status id percentcomplete", "completed", 3), out_null),
    "write-error": (takes("message category errorid targetobject"), write_error),
    "get-date": (takes("format", places=0), get_date),
    "start-sleep": (takes("seconds milliseconds ms s"), start_sleep),
    "set-strictmode": (takes("version", "off", places=0), strict),
}
