"""EnterService: the instance serves, and its peers learn of it. Undone by LeaveService."""

from kiln.runtime import step, world
from kiln.steps.enter_service import EnterService, ServiceEntered, enter_service


@step(EnterService)
def handler(request: EnterService) -> ServiceEntered:
    return enter_service(request, world())
