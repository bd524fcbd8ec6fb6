"""Whether an image and an instance type fit: facts of EC2, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.fit import TypeFacts, check_fit, default_types, fit
from kiln.domain.image import ImageFacts, check_base
from kiln.errors import BaseImageNotFound, IncompatibleBase
from tests.builders import NOW, a_type, an_image


def fits(image: ImageFacts, kind: TypeFacts) -> None:
    """Check one type."""
    check_fit(image, [fit(image, kind, "builder.instance_types")])


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
            "boots from ebs, the image's root is instance-store",
        ),
        ({"ena": False}, {}, "requires ENA"),
        (
            {"boot_mode": "uefi"},
            {"boot_modes": ("legacy-bios",)},
            "boots by legacy-bios, the base by uefi",
        ),
        (
            {"name": "amzn-ami-hvm-2017.09.1.20180115-x86_64-gp2"},
            {"nvme": "required"},
            "requires NVMe drivers, which come with 2018.03; the base is 2017.09",
        ),
        (
            {"name": "RHEL-7.3_HVM-20180103-x86_64-0-Hourly2-GP2"},
            {"nvme": "required"},
            "requires NVMe drivers, which come with 7.4; the base is 7.3",
        ),
        (
            {"name": "CentOS Linux 7 x86_64 HVM EBS 1602-b7ee8a69"},
            {"nvme": "required"},
            "requires NVMe drivers, which come with 1708; the base is 1602",
        ),
        (
            {},
            {"usages": ("capacity-block", "spot")},
            "is offered as capacity-block or spot only, Kiln launches on-demand instances",
        ),
    ],
)
def test_a_misfit_is_named_with_its_type(
    image: dict[str, Any], kind: dict[str, Any], said: str
) -> None:
    with pytest.raises(IncompatibleBase) as found:
        fits(an_image(**image), a_type(**kind))
    assert f"builder.instance_types: m7i.large {said}" in str(found.value)


@pytest.mark.parametrize(
    "name",
    [
        "amzn-ami-hvm-2018.03.0.20231218.0-x86_64-gp2",
        "RHEL-7.9_HVM-20240930-x86_64-0-Hourly2-GP3",
        "RHEL-7.10_HVM-20240930-x86_64-0-Hourly2-GP3",
        "CentOS Linux 7 x86_64 - 2211",
        "CentOS Linux 7 x86_64 HVM EBS ENA 1804_2-b7ee8a69",
        "an image of our own",
    ],
)
def test_an_image_whose_release_has_nvme_drivers_fits(name: str) -> None:
    fits(an_image(name=name), a_type(nvme="required"))


@pytest.mark.parametrize("mode", [None, "uefi-preferred", "legacy-bios"])
def test_an_image_without_a_mode_or_with_a_preference_boots(mode: str | None) -> None:
    fits(an_image(boot_mode=mode), a_type(boot_modes=("legacy-bios",)))


def test_the_old_guides_example_is_refused() -> None:
    """R3 runs HVM images only (EC2 User Guide, "Linux AMI virtualization types")."""
    paravirtual = an_image(virtualization="paravirtual", ena=False, boot_mode=None)
    r3 = a_type("r3.large", ena="unsupported", boot_modes=("legacy-bios",))
    with pytest.raises(IncompatibleBase, match=r"r3\.large needs hvm virtualization"):
        fits(paravirtual, r3)


def test_a_base_that_is_not_available_is_refused() -> None:
    with pytest.raises(BaseImageNotFound, match="is failed, not available"):
        check_base(an_image(state="failed"), NOW)


def test_launch_is_refused_when_the_base_is_deprecated() -> None:
    check_base(an_image(deprecated_at="2027-01-01T00:00:00.000Z"), NOW)
    old = an_image(deprecated_at="2026-01-01T00:00:00.000Z")
    with pytest.raises(
        BaseImageNotFound, match=r"since 2026-01-01; .* base\.allow_deprecated: true"
    ):
        check_base(old, NOW)
    check_base(old, NOW, allow_deprecated=True)


NEW, ARM = a_type("new", nvme="required"), a_type("arm", architectures=("arm64",))
OLD = a_type("old", ena="unsupported", virtualizations=("hvm", "paravirtual"), boot_modes=())


@pytest.mark.parametrize(
    ("image", "chosen"),
    [
        ({}, (NEW,)),
        ({"architecture": "arm64"}, (ARM,)),
        ({"virtualization": "paravirtual"}, (OLD,)),
        ({"ena": False}, (OLD,)),
        ({"virtualization": "xen"}, ()),
    ],
)
def test_types_are_chosen_by_what_runs_the_image(
    image: dict[str, Any], chosen: tuple[TypeFacts, ...]
) -> None:
    assert default_types((an_image(**image),), (NEW, ARM, OLD)) == chosen


def test_the_root_is_as_large_as_its_snapshot() -> None:
    assert an_image().root_size_gib == 8
    assert an_image(snapshots=()).root_size_gib == 0
