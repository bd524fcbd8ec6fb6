"""Teardown: undo by tag whatever the bake made and does not need."""

from kiln.runtime import step, world
from kiln.steps.teardown import Teardown, TornDown, teardown


@step(Teardown)
def handler(request: Teardown) -> TornDown:
    return teardown(request, world())
