"""TakeOver: an execution was stopped, or may have been; another one ends its work."""

from kiln.runtime import step, world
from kiln.steps.take_over import TakenOver, TakeOver, take_over


@step(TakeOver)
def handler(request: TakeOver) -> TakenOver:
    return take_over(request, world())
