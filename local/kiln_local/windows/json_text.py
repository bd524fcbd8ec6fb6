"""JSON as Windows PowerShell 5.1 reads and writes it."""

from __future__ import annotations

import json
from typing import Any

from kiln_local.windows.errors import NotHere, Refused
from kiln_local.windows.values import Bag, known, text

# JavaScriptSerializer writes them as escapes.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&'"}


def read(source: str) -> Any:
    """Objects, arrays and plain values. Raises Refused."""
    try:
        return _object(json.loads(source, strict=False))
    except ValueError as error:
        raise Refused(f"ConvertFrom-Json: Invalid JSON primitive: {error}") from error


def _object(value: Any) -> Any:
    if isinstance(value, dict):
        return Bag([(_whole(name), _object(inner)) for name, inner in value.items()])
    if isinstance(value, list):
        return [_object(item) for item in value]
    return _whole(value) if isinstance(value, str) else value


def _whole(value: str) -> str:
    """Half a pair of code units is no character."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def written(value: Any, depth: int, compress: bool) -> str:
    """JSON of a value; below `depth` an object is what it is as text."""
    return _written(plain(value, depth), "", compress)


def plain(value: Any, depth: int) -> Any:
    """A value of dictionaries, lists and what JSON knows."""
    if isinstance(known(value), Bag) and value.kind not in ("hashtable", "object"):
        raise NotHere(f"JSON of a {value.kind}")
    if isinstance(value, (Bag, list)) and depth < 0:
        return _flat(value)
    if isinstance(value, Bag):
        return {text(name): plain(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(item, depth - 1) for item in value]
    if value is not None and not isinstance(value, (str, int, float)):
        raise NotHere("JSON of such a value")
    return value


def _flat(value: Any) -> str:
    if isinstance(value, Bag) and value.kind == "object":
        return "@{" + "; ".join(f"{name}={text(v)}" for name, v in value.items()) + "}"
    return text(value)


def _written(value: Any, indent: str, compress: bool) -> str:
    """Each level stands below the value that it belongs to, four further to the right."""
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)
    gap = "" if compress else "  "
    inner = indent + "    "
    if isinstance(value, dict):
        names = {name: f"{_written(name, '', True)}:{gap}" for name in value}
        parts = [
            key + _written(value[name], inner + " " * len(key), compress)
            for name, key in names.items()
        ]
    else:
        parts = [_written(item, inner, compress) for item in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    if compress:
        return start + ",".join(parts) + end
    body = ",\r\n".join(f"{inner}{part}" for part in parts)
    return f"{start}\r\n{body}\r\n{indent}{end}"
