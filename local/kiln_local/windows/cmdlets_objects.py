"""Cmdlets on objects in a pipeline, on text and on time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kiln_local.windows import dotnet, members, objects
from kiln_local.windows.errors import ScriptError
from kiln_local.windows.operators import compare
from kiln_local.windows.values import Bag, items, number, one, text, truth


def for_each(run: Any, call: Any) -> list[Any]:
    """ForEach-Object with a block, or with a property's name."""
    what = call.get("process|membername", 0)
    if isinstance(what, str):
        return [value for item in call.piped for value in items(members.get(item, what))]
    return [value for item in call.piped for value in run.each(what, item)]


def where(run: Any, call: Any) -> list[Any]:
    """Where-Object with a block, or `Name -eq value`."""
    what = call.get("filterscript", 0)
    if not isinstance(what, str):
        return [item for item in call.piped if truth(one(run.each(what, item)))]
    operators = [n for n in call.named if n not in ("erroraction", "property")]
    if not operators:
        return [item for item in call.piped if truth(members.get(item, what))]
    word, wanted = operators[0], call.named[operators[0]]
    return [i for i in call.piped if compare(members.get(i, what), word, wanted, run.variables)]


def select(_: Any, call: Any) -> list[Any]:
    """First, last, some properties, or one expanded."""
    found = list(call.piped)
    if "expandproperty" in call.named:
        return [members.get(item, text(call.named["expandproperty"])) for item in found]
    if "first" in call.named:
        found = found[: int(number(call.named["first"]))]
    if "last" in call.named:
        found = found[-int(number(call.named["last"])) :]
    if call.has("unique"):
        found = _unique(found)
    names = [text(n) for value in call.positional for n in items(value)]
    names += [text(n) for n in items(call.named.get("property"))]
    if not names:
        return found
    return [Bag([(name, members.get(item, name)) for name in names]) for item in found]


def _unique(values: list[Any]) -> list[Any]:
    seen: dict[str, Any] = {}
    for value in values:
        seen.setdefault(text(value).lower(), value)
    return list(seen.values())


def sort(_: Any, call: Any) -> list[Any]:
    """Sort-Object, by itself or by a property."""
    name = call.get("property", 0)

    def key(item: Any) -> tuple[int, Any]:
        value = members.get(item, text(name)) if name else item
        plain = isinstance(value, (int, float))
        return (0, value) if plain else (1, text(value).lower())

    found = sorted(call.piped, key=key, reverse=call.has("descending"))
    return _unique(found) if call.has("unique") else found


def measure(_: Any, call: Any) -> list[Any]:
    """Measure-Object."""
    name = call.get("property", 0)
    values = [members.get(i, text(name)) if name else i for i in call.piped]
    numbers = [number(v) for v in values if isinstance(v, (int, float))]
    return [Bag([("Count", len(values)), ("Sum", sum(numbers))])]


def from_json(_: Any, call: Any) -> list[Any]:
    """ConvertFrom-Json."""
    source = call.get("inputobject", 0) or "\n".join(text(line) for line in call.piped)
    try:
        found = json.loads(text(source))
    except ValueError as error:
        raise ScriptError(f"Invalid JSON primitive: {error}") from error
    return items(_object(found))


def _object(value: Any) -> Any:
    if isinstance(value, dict):
        return Bag([(name, _object(inner)) for name, inner in value.items()])
    return [_object(item) for item in value] if isinstance(value, list) else value


def to_json(_: Any, call: Any) -> list[Any]:
    """ConvertTo-Json."""
    value = call.get("inputobject", 0)
    value = one(call.piped) if value is None else value
    return [json.dumps(_plain(value), indent=None if call.has("compress") else 4)]


def _plain(value: Any) -> Any:
    if isinstance(value, Bag):
        return {text(name): _plain(inner) for name, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def new_object(_: Any, call: Any) -> list[Any]:
    """New-Object."""
    made = dotnet.new(
        text(call.need("typename", 0)), items(call.get("argumentlist")) or call.positional[1:]
    )
    properties = call.get("property")
    if isinstance(properties, Bag):
        made = Bag(properties.items())
    return [made]


def out_null(_: Any, __: Any) -> list[Any]:
    """Nothing."""
    return []


def out_string(_: Any, call: Any) -> list[Any]:
    """The text as it would be shown."""
    return ["\n".join(line for item in call.piped for line in objects.shown(item)) + "\n"]


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
    raise ScriptError(text(call.get("message", 0)))


def get_date(run: Any, call: Any) -> list[Any]:
    """Now, by the local AWS's clock; with -Format as text."""
    now: datetime = run.machine.now().astimezone(UTC)
    form = call.get("format")
    return [members.call(now, "ToString", [form], run.machine) if form else now]


def start_sleep(run: Any, call: Any) -> list[Any]:
    """Simulated seconds."""
    seconds = number(call.get("seconds|s", 0, 0)) + number(call.get("milliseconds", None, 0)) / 1000
    run.machine.sleep(float(seconds))
    return []


def strict(run: Any, _: Any) -> list[Any]:
    """Set-StrictMode: what was never set is an error from now on."""
    run.strict = True
    return []


CMDLETS = {
    "foreach-object": for_each,
    "where-object": where,
    "select-object": select,
    "sort-object": sort,
    "measure-object": measure,
    "convertfrom-json": from_json,
    "convertto-json": to_json,
    "new-object": new_object,
    "out-null": out_null,
    "out-string": out_string,
    "write-output": write_output,
    "write-host": write_host,
    "write-warning": write_warning,
    "write-verbose": out_null,
    "write-information": out_null,
    "write-progress": out_null,
    "write-error": write_error,
    "get-date": get_date,
    "start-sleep": start_sleep,
    "set-strictmode": strict,
}
