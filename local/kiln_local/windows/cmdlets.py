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
