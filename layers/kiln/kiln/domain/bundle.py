"""Instance-store images: the root of a running instance, bundled into parts in S3.

The procedure and its limits: EC2 User Guide, "Create an Amazon S3-backed AMI". It is written for
Amazon Linux 1; EC2 itself accepts any 64-bit Intel Linux whose root is at most 10 GB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.blueprint import LARGEST_BUNDLE_GIB, Blueprint
from kiln.domain.documents import DocumentCall
from kiln.errors import IncompatibleBase, InvalidBlueprint

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts

MANIFEST = "image.manifest.xml"
# Bundling copies and compresses the whole root, some minutes for each gigabyte.
BUNDLE_WITHIN_S = 14_400


@dataclass(frozen=True)
class BundlePlace:
    """Where a bundle goes: the account's number, the Region, and `bucket/prefix`."""

    account: str
    region: str
    location: str


def for_bundle(blueprint: Blueprint, base: ImageFacts, place: BundlePlace) -> DocumentCall:
    """Seal, bundle and upload, while the instance runs."""
    parameters = {
        "Platform": [blueprint.platform],
        "Virtualization": [base.virtualization],
        "Account": [place.account],
        "Region": [place.region],
        "Location": [place.location],
    }
    return DocumentCall("bundle-linux", parameters, BUNDLE_WITHIN_S)


def manifest_of(location: str) -> str:
    """`bucket/prefix/image.manifest.xml`: what RegisterImage takes."""
    return f"{location}/{MANIFEST}"


def check_bundle(blueprint: Blueprint, base: ImageFacts) -> None:
    """Raise InvalidBlueprint or IncompatibleBase for a base whose root cannot be bundled, or that
    must be."""
    if blueprint.root_device == "ebs":
        if base.root_device_type != "ebs":
            raise IncompatibleBase(
                f"root_device: base {base.id} ({base.name}) has an instance-store root, which "
                "cannot be stopped and copied; use root_device: instance-store"
            )
        return
    if base.architecture != "x86_64":
        raise IncompatibleBase(
            f"root_device: an instance-store image is x86_64 only; base {base.id} ({base.name}) is "
            f"{base.architecture}"
        )
    size = max(blueprint.builder.volume.size_gib or 0, base.root_size_gib)
    if base.root_device_type == "ebs" and size > LARGEST_BUNDLE_GIB:
        raise InvalidBlueprint(
            f"builder.volume.size_gib: the root of an instance-store image is at most "
            f"{LARGEST_BUNDLE_GIB} GB; this one has {size}"
        )
