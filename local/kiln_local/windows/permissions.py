"""Who may read what: icacls, as far as documents need it, and what it has left."""

from __future__ import annotations

import re
from typing import Any

from kiln_local.windows.errors import NotHere

_GRANT = re.compile(r"\*(S-1-[0-9-]+):\(OI\)\(CI\)F", re.IGNORECASE)
# icacls ends with this where there is no such file.
_MISSING = 2


def icacls(machine: Any, arguments: list[str], run: Any) -> int:
    """`icacls PATH /inheritance:r /grant:r *SID:(OI)(CI)F ...`: nobody but these, here and below
    (Windows Commands, "icacls"). Nothing else of it is known."""
    path, *options = arguments or [""]
    grants = [_GRANT.fullmatch(option) for option in options[2:]]
    wanted = [option.lower() for option in options[:2]] == ["/inheritance:r", "/grant:r"]
    if not wanted or not grants or None in grants:
        raise NotHere(f"icacls {' '.join(arguments)}")
    if not machine.drive.exists(path):
        run.emit([f"{path}: The system cannot find the file specified."])
        return _MISSING
    machine.journal.keep(machine.state, "permissions")
    known = machine.state.get("permissions", {})
    only = [grant[1] for grant in grants if grant]
    machine.state["permissions"] = {**known, _key(path): only}
    run.emit([f"processed file: {path}"])
    return 0


def readers(machine: Any, path: str) -> list[str] | None:
    """The identifiers of those who alone may read a path: its own, or those of what it is in.
    None where nothing but Windows' own permissions hold."""
    known, place = machine.state.get("permissions", {}), _key(path)
    while place:
        if place in known:
            return list(known[place])
        place = place.rpartition("\\")[0]
    return None


def _key(path: str) -> str:
    return path.rstrip("\\").lower()
