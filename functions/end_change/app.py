"""EndChange: record how a change of an instance ended, and give the instance back."""

from kiln.runtime import step, world
from kiln.steps.end_change import ChangeEnded, EndChange, end_change


@step(EndChange)
def handler(request: EndChange) -> ChangeEnded:
    return end_change(request, world())
