"""PruneImages: images that have had their time, deprecated, disabled and deleted, once a day."""

from kiln.runtime import step, world
from kiln.steps.prune_images import ImagesPruned, PruneImages, prune_images


@step(PruneImages)
def handler(request: PruneImages) -> ImagesPruned:
    return prune_images(request, world())
