"""Wake: AWS says that something changed; end the waits that it ends."""

from kiln.runtime import step, world
from kiln.steps.wake import AwsEvent, Woken, wake


@step(AwsEvent)
def handler(event: AwsEvent) -> Woken:
    return wake(event, world())
