"""CreateImage: one image of the stopped builder. Undone by Teardown."""

from kiln.runtime import step, world
from kiln.steps.create_image import CreateImage, ImageCreated, create_image


@step(CreateImage)
def handler(request: CreateImage) -> ImageCreated:
    return create_image(request, world())
