"""Taking what one execution at a time may work on: from nobody, or from one that runs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiln.ports import Machine, World


def take(
    machine: Machine,
    hold: Callable[[str | None], bool],
    holder: Callable[[], str | None],
    world: World,
) -> bool:
    """Whether it is held now. `hold` takes it from nobody, or from the execution that is named.

    One that was stopped or timed out would hold it for ever.
    """
    if hold(None):
        return True
    other = holder()
    if other is None or world.machines.running(machine, other):
        return False
    return hold(other)
