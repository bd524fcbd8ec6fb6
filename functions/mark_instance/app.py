"""MarkInstance: an instance has come as far as its wait said."""

from kiln.runtime import step, world
from kiln.steps.mark_instance import InstanceMarked, MarkInstance, mark_instance


@step(MarkInstance)
def handler(request: MarkInstance) -> InstanceMarked:
    return mark_instance(request, world())
