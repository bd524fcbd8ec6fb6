"""StopInstance: ask EC2 to stop or terminate a layer's instance."""

from kiln.runtime import step, world
from kiln.steps.stop_instance import InstanceStops, StopInstance, stop_instance


@step(StopInstance)
def handler(request: StopInstance) -> InstanceStops:
    return stop_instance(request, world())
