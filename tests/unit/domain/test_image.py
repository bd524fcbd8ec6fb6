"""Whether an image and an instance type fit: facts of EC2, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.image import DEFAULT_TYPES, OLD_TYPES, check_base, check_fit, default_types
from kiln.domain.platforms import Architecture
from kiln.errors import BaseImageNotFound, IncompatibleBase
from tests.builders import NOW, a_type, an_image


@pytest.mark.parametrize(
    ("image", "kind", "said"),
    [
        ({}, {"architectures": ("arm64",)}, "runs arm64, the base is x86_64"),
        ({"architecture": "arm64"}, {}, "runs x86_64, the base is arm64"),
        (
            {"virtualization": "paravirtual"},
            {},
            "needs hvm virtualization, the base is paravirtual",
        ),
        (
            {"root_device_type": "instance-store"},
            {},
            "boots from ebs, the base's root is instance-store",
        ),
        ({"ena": False}, {}, "requires ENA"),
        (
            {"boot_mode": "uefi"},
            {"boot_modes": ("legacy-bios",)},
            "boots by legacy-bios, the base by uefi",
        ),
    ],
)
def test_a_misfit_is_named_with_its_type(
    image: dict[str, Any], kind: dict[str, Any], said: str
) -> None:
    with pytest.raises(IncompatibleBase) as found:
        check_fit(an_image(**image), (a_type(**kind),))
    assert f"m7i.large {said}" in str(found.value)


@pytest.mark.parametrize("mode", [None, "uefi-preferred", "legacy-bios"])
def test_an_image_without_a_mode_or_with_a_preference_boots(mode: str | None) -> None:
    check_fit(an_image(boot_mode=mode), (a_type(boot_modes=("legacy-bios",)),))


def test_the_old_guides_example_is_refused() -> None:
    """R3 runs HVM images only (EC2 User Guide, "Linux AMI virtualization types")."""
    paravirtual = an_image(virtualization="paravirtual", ena=False, boot_mode=None)
    r3 = a_type("r3.large", ena="unsupported", boot_modes=("legacy-bios",))
    with pytest.raises(IncompatibleBase, match=r"r3\.large needs hvm virtualization"):
        check_fit(paravirtual, (r3,))


def test_a_base_that_is_not_available_is_refused() -> None:
    with pytest.raises(BaseImageNotFound, match="is failed, not available"):
        check_base(an_image(state="failed"), NOW)


def test_launch_is_refused_when_the_base_is_deprecated() -> None:
    check_base(an_image(deprecated_at="2027-01-01T00:00:00.000Z"), NOW)
    with pytest.raises(BaseImageNotFound, match="is deprecated since 2026-01-01"):
        check_base(an_image(deprecated_at="2026-01-01T00:00:00.000Z"), NOW)


def test_types_are_chosen_by_what_the_image_is() -> None:
    assert default_types(an_image()) == DEFAULT_TYPES[Architecture.X86_64]
    assert default_types(an_image(architecture="arm64")) == DEFAULT_TYPES[Architecture.ARM64]
    assert default_types(an_image(virtualization="paravirtual")) == OLD_TYPES
    assert default_types(an_image(ena=False)) == OLD_TYPES
    assert an_image().root_size_gib == 8
    assert an_image(snapshots=()).root_size_gib == 0
