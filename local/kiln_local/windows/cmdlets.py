"""The cmdlets of a simulated Windows, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln_local.windows import cmdlets_content, cmdlets_items, cmdlets_objects, cmdlets_system
from kiln_local.windows.binding import Takes

Cmdlet = Callable[[Any, Any], list[Any]]
CMDLETS: dict[str, tuple[Takes, Cmdlet]] = {
    **cmdlets_items.CMDLETS,
    **cmdlets_content.CMDLETS,
    **cmdlets_objects.CMDLETS,
    **cmdlets_system.CMDLETS,
}
# The names that people type; Windows PowerShell brings them along.
ALIASES = {
    "%": "foreach-object",
    "foreach": "foreach-object",
    "?": "where-object",
    "where": "where-object",
    "select": "select-object",
    "sort": "sort-object",
    "measure": "measure-object",
    "echo": "write-output",
    "write": "write-output",
    **dict.fromkeys(("gci", "dir", "ls"), "get-childitem"),
    **dict.fromkeys(("gc", "cat", "type"), "get-content"),
    **dict.fromkeys(("copy", "cp", "cpi"), "copy-item"),
    **dict.fromkeys(("move", "mv", "mi"), "move-item"),
    **dict.fromkeys(("del", "rm", "ri", "rd", "rmdir", "erase"), "remove-item"),
    "ren": "rename-item",
    "rni": "rename-item",
    "ni": "new-item",
    "gi": "get-item",
    "sc": "set-content",
    "ac": "add-content",
    "gp": "get-itemproperty",
    "sp": "set-itemproperty",
    "rp": "remove-itemproperty",
    "sleep": "start-sleep",
    "gsv": "get-service",
    "spsv": "stop-service",
    "sasv": "start-service",
}
