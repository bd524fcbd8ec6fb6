"""AddToLayers: start one rollout for each layer that takes an image."""

from kiln.runtime import step, world
from kiln.steps.add_to_layers import ImageAvailableEvent, RolloutsStarted, add_to_layers


@step(ImageAvailableEvent)
def handler(event: ImageAvailableEvent) -> RolloutsStarted:
    return add_to_layers(event, world())
