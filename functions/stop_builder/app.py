"""StopBuilder: bring the builder's volumes to rest."""

from kiln.runtime import step, world
from kiln.steps.stop_builder import StopAsked, StopBuilder, stop_builder


@step(StopBuilder)
def handler(request: StopBuilder) -> StopAsked:
    return stop_builder(request, world())
