"""TendInstances: what layers do of themselves, once a minute: heal, and scale by time and load."""

from kiln.runtime import step, world
from kiln.steps.tend_instances import InstancesTended, TendInstances, tend_instances


@step(TendInstances)
def handler(request: TendInstances) -> InstancesTended:
    return tend_instances(request, world())
