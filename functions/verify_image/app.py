"""VerifyImage: judge the clone's identity."""

from kiln.runtime import step, world
from kiln.steps.verify_image import IdentityDiffers, VerifyImage, verify_image


@step(VerifyImage)
def handler(request: VerifyImage) -> IdentityDiffers:
    return verify_image(request, world())
