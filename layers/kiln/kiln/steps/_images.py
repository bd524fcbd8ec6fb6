"""Removing an image with all that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts
    from kiln.ports import World


def remove_image(image: ImageFacts, world: World) -> None:
    """Deregister; its snapshots go, and so do the parts of a bundle, which EC2 leaves in S3."""
    world.images.deregister(image.id)
    if image.bundle:
        world.bundles.remove(image.bundle)
