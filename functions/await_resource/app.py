"""AwaitResource: end a waiting task as soon as what it waits for is done."""

from kiln.runtime import step, world
from kiln.steps.await_resource import Awaited, AwaitResource, await_resource


@step(AwaitResource)
def handler(request: AwaitResource) -> Awaited:
    return await_resource(request, world())
