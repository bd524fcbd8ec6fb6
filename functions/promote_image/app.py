"""PromoteImage: let an image into a channel, then tell the bus."""

from kiln.runtime import step, world
from kiln.steps.promote_image import Promoted, PromoteImage, promote_image


@step(PromoteImage)
def handler(request: PromoteImage) -> Promoted:
    return promote_image(request, world())
