"""DistributeImage: tags, deprecation date and pointer."""

from kiln.runtime import step, world
from kiln.steps.distribute_image import DistributeImage, ImageDistributed, distribute_image


@step(DistributeImage)
def handler(request: DistributeImage) -> ImageDistributed:
    return distribute_image(request, world())
