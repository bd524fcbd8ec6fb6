"""The public images of the local AWS, made from the catalog, with the parameters that name them."""

from __future__ import annotations

from kiln_local.catalog import PublicImage, public_images
from kiln_local.ec2 import Ec2
from kiln_local.images import LocalImage

_LONG_AGO = "2025-12-31T00:00:00.000Z"


def load_public(ec2: Ec2) -> None:
    """Put the public images and their parameters in place."""
    for public in public_images():
        make_public(ec2, public)
        for name in public.parameters:
            # Public parameters are AWS's own: the API refuses to write such names.
            ec2.public_parameters[name] = public.id


def make_public(ec2: Ec2, public: PublicImage) -> LocalImage:
    """Put a public image in place, with files to launch it from unless it is deprecated."""
    image = ec2.backend.amis[public.id] = _public(ec2, public)
    if not public.deprecated:
        ec2.room.add_base_image(public.id, public.platform, public.language)
    return image


def _public(ec2: Ec2, public: PublicImage) -> LocalImage:
    image = LocalImage(
        ec2.backend,
        public.id,
        name=public.name,
        description=public.platform,
        owner_id=public.owner,
        public=True,
        virtualization_type=public.virtualization,
        architecture=public.architecture,
        platform="windows" if public.windows else None,
        image_location=f"{public.owner}/{public.name}",
        hypervisor="xen",
        root_device_type=public.root,
        root_device_name="/dev/sda1" if "ubuntu" in public.name else "/dev/xvda",
        boot_mode=public.boot_mode or "",
    )
    image.boot_mode = public.boot_mode
    image.ena_support = public.ena
    image.owner_alias = "amazon"
    image.deprecation_time = _LONG_AGO if public.deprecated else None
    image.ebs_snapshot.owner_id = public.owner
    return image
