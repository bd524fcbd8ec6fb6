"""AnnounceImage: record the image, then tell the bus."""

from kiln.runtime import step, world
from kiln.steps.announce_image import AnnounceImage, ImageAnnounced, announce_image


@step(AnnounceImage)
def handler(request: AnnounceImage) -> ImageAnnounced:
    return announce_image(request, world())
