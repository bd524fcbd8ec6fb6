"""LeaveService: an instance gets no new requests, and its peers learn that it left."""

from kiln.runtime import step, world
from kiln.steps.leave_service import LeaveService, ServiceLeft, leave_service


@step(LeaveService)
def handler(request: LeaveService) -> ServiceLeft:
    return leave_service(request, world())
