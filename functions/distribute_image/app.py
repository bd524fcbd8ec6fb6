"""DistributeImage: tags, deprecation date, permissions and pointers of an image in one Region."""

from kiln.runtime import step, world
from kiln.steps.distribute_image import DistributeImage, ImagePlaced, distribute_image


@step(DistributeImage)
def handler(request: DistributeImage) -> ImagePlaced:
    return distribute_image(request, world())
