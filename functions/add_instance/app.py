"""AddInstance: one new instance of a layer. Undone by FinishRollout."""

from kiln.runtime import step, world
from kiln.steps.add_instance import AddInstance, InstanceAdded, add_instance


@step(AddInstance)
def handler(request: AddInstance) -> InstanceAdded:
    return add_instance(request, world())
