"""Which bases can become an instance-store image, and what is sent to bundle one."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.bundle import BundlePlace, check_bundle, for_bundle, manifest_of
from kiln.domain.image import Snapshot
from kiln.errors import IncompatibleBase, InvalidBlueprint, KilnError
from tests.builders import a_document, an_image

STORE = {"root_device": "instance-store"}


def root(size_gib: int) -> dict[str, Any]:
    """An EBS root of a size."""
    return {"snapshots": (Snapshot(device="/dev/xvda", snapshot="snap-1", size_gib=size_gib),)}


@pytest.mark.parametrize(
    ("document", "image", "error", "said"),
    [
        (
            {},
            {"root_device_type": "instance-store"},
            IncompatibleBase,
            "use root_device: instance-store",
        ),
        (STORE, {"architecture": "arm64"}, IncompatibleBase, "x86_64 only; .* is arm64"),
        (STORE, root(11), InvalidBlueprint, "at most 10 GB; this one has 11"),
    ],
)
def test_a_base_that_cannot_be_bundled_is_refused(
    document: dict[str, Any], image: dict[str, Any], error: type[KilnError], said: str
) -> None:
    with pytest.raises(error, match=said):
        check_bundle(blueprint_from(a_document(**document)), an_image(**image))


@pytest.mark.parametrize("image", [{"root_device_type": "instance-store"}, root(10)])
def test_a_base_of_either_root_can_be_bundled(image: dict[str, Any]) -> None:
    check_bundle(blueprint_from(a_document(**STORE)), an_image(**image))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"platform": "windows-2022", "steps": None},
            "root_device: Windows images are always EBS",
        ),
        ({"builder": {"volume": {"size_gib": 11}}}, "builder.volume.size_gib: 11 is too large"),
        ({"builder": {"volume": {"kms_key": "alias/a"}}}, "builder.volume.kms_key: .* encrypted"),
    ],
)
def test_what_no_instance_store_root_can_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidBlueprint, match=said):
        blueprint_from(a_document(**STORE, **changes))


def test_the_bundle_is_told_where_to_go() -> None:
    place = BundlePlace("123456789012", "eu-west-1", "parts/bundles/web-1")
    call = for_bundle(blueprint_from(a_document(**STORE)), an_image(), place)
    assert call.name == "bundle-linux"
    assert call.parameters == {
        "Platform": ["amazon-linux-2023"],
        "Virtualization": ["hvm"],
        "Account": ["123456789012"],
        "Region": ["eu-west-1"],
        "Location": ["parts/bundles/web-1"],
    }
    assert manifest_of(place.location) == "parts/bundles/web-1/image.manifest.xml"


def test_an_image_knows_where_its_parts_lie() -> None:
    location = "parts/bundles/web-1/image.manifest.xml"
    stored = an_image(root_device_type="instance-store", location=location)
    assert stored.bundle == "parts/bundles/web-1"
    assert an_image(location="123456789012/web").bundle is None
