"""CopyImage: start the copy of an image to another Region."""

from kiln.runtime import step, world
from kiln.steps.copy_image import CopyImage, ImageCopied, copy_image


@step(CopyImage)
def handler(request: CopyImage) -> ImageCopied:
    return copy_image(request, world())
