"""BeginChange: take a layer's instance for one change. Undone by EndChange."""

from kiln.runtime import step, world
from kiln.steps.begin_change import BeginChange, ChangeBegun, begin_change


@step(BeginChange)
def handler(request: BeginChange) -> ChangeBegun:
    return begin_change(request, world())
