"""StartInstance: start or launch a layer's instance. Undone by a stop."""

from kiln.runtime import step, world
from kiln.steps.start_instance import InstanceStarted, StartInstance, start_instance


@step(StartInstance)
def handler(request: StartInstance) -> InstanceStarted:
    return start_instance(request, world())
