"""Parameters that name an image, for whoever launches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.errors import AwsBusy

if TYPE_CHECKING:
    from kiln.ports import Parameters


def point(name: str, image: str, parameters: Parameters) -> None:
    """Write a pointer and read it back. AwsBusy while it does not name the image.

    PutParameter of type aws:ec2:image answers before the value is checked, and drops it if the
    check fails (Systems Manager User Guide, "Native parameter support for AMI IDs").
    """
    if parameters.read(name) != image:
        parameters.point(name, image)
    if parameters.read(name) != image:
        raise AwsBusy(f"parameter {name} does not name {image} yet")
