"""Objects that cmdlets give, and how values look on standard output."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kiln_local.windows.errors import ScriptError
from kiln_local.windows.values import Bag, text


def shown(value: Any) -> list[str]:
    """The lines of a value on standard output."""
    if value is None:
        return []
    if isinstance(value, list):
        return [line for item in value for line in shown(item)]
    if isinstance(value, Bag) and value.kind in ("hashtable", "object"):
        return [f"{name} : {text(inner)}" for name, inner in value.items()]
    return text(value).split("\n")


def error_record(error: ScriptError) -> Bag:
    """What `$_` is in a catch block."""
    exception = Bag([("Message", str(error))])
    return Bag([("Exception", exception), ("FullName", str(error))], "error")


def file_item(path: str, folder: bool, size: int, written: datetime) -> Bag:
    """A file or a folder, as Get-Item gives it."""
    name = path.rpartition("\\")[2]
    found = Bag(
        [
            ("FullName", path),
            ("Name", name),
            ("PSChildName", name),
            ("PSPath", path),
            ("PSIsContainer", folder),
            ("Extension", "." + name.rpartition(".")[2] if "." in name else ""),
            ("LastWriteTime", written),
            ("LastWriteTimeUtc", written),
        ],
        "file",
    )
    if not folder:
        found.set("Length", size)
    return found


def key_item(path: str) -> Bag:
    """A key of the registry."""
    name = path.rpartition("\\")[2]
    return Bag([("Name", path), ("PSChildName", name), ("PSPath", path)], "key")
