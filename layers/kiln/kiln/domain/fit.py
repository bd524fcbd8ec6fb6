"""Whether an image runs on an instance type, by what DescribeInstanceTypes says of the type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.errors import IncompatibleBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kiln.domain.image import ImageFacts

# What a builder may be where the blueprint names no type: general types of every Region, the newest
# generation first. The last ones are from before ENA and NVMe, for images that know neither.
CANDIDATES = (
    *("m7i.large", "m6i.large", "m5.large"),
    *("m7g.large", "m6g.large"),
    *("m3.medium", "m3.large", "m1.large"),
)
# The first release with NVMe drivers, by a pattern that finds the release in the names of public
# images (EC2 User Guide, "Instance store volumes": "The following AMIs meet this requirement").
_NVME_SINCE = (
    (re.compile(r"^amzn-ami-.*?(\d{4}\.\d\d)\."), "2018.03"),
    (re.compile(r"^RHEL-(7\.\d+)"), "7.4"),
    (re.compile(r"^CentOS Linux 7 .*\b(\d{4})(?:_\d+)?\b"), "1708"),
)


class TypeFacts(Model):
    """What DescribeInstanceTypes says of one instance type (EC2 API, type InstanceTypeInfo)."""

    name: str
    architectures: tuple[str, ...]
    virtualizations: tuple[str, ...]
    root_devices: tuple[str, ...]
    boot_modes: tuple[str, ...] = ()
    ena: str = "unsupported"
    nvme: str = "unsupported"
    usages: tuple[str, ...] = ("on-demand",)


class Fit(Model):
    """A type beside an image, for the eye; `misfits` is empty where it fits."""

    type: str
    used_by: str
    architecture: str
    virtualization: str
    root_device: str
    boot_mode: str
    ena: str
    nvme: str
    usage: str
    misfits: tuple[str, ...] = ()


def fit(image: ImageFacts, kind: TypeFacts, used_by: str) -> Fit:
    """One row of the table that `kiln plan` shows; `used_by` is a key of the blueprint."""
    return Fit(
        type=kind.name,
        used_by=used_by,
        architecture=_or(kind.architectures),
        virtualization=_or(kind.virtualizations),
        root_device=_or(kind.root_devices),
        boot_mode=_or(kind.boot_modes),
        ena=kind.ena,
        nvme=kind.nvme,
        usage=_or(kind.usages),
        misfits=tuple(_misfits(image, kind)),
    )


def check_fit(
    image: ImageFacts, rows: Iterable[Fit], fitting: Callable[[], Iterable[TypeFacts]] = tuple
) -> None:
    """Raise IncompatibleBase naming every type that cannot run the image, who uses it, and why.

    `fitting` is asked only then, for types to name that can.
    """
    misfits = [f"{row.used_by}: {row.type} {said}" for row in rows for said in row.misfits]
    if misfits:
        names = ", ".join(kind.name for kind in fitting())
        allowed = f"; types that run it: {names}" if names else ""
        why = "; ".join(misfits)
        raise IncompatibleBase(f"{why} (the base is {image.id}, {image.name}){allowed}")


def default_types(
    images: tuple[ImageFacts, ...], known: Iterable[TypeFacts]
) -> tuple[TypeFacts, ...]:
    """The candidates that run all of the images, with none from before NVMe where a current one
    does."""
    fitting = [k for k in known if not any(any(_misfits(image, k)) for image in images)]
    current = [kind for kind in fitting if kind.nvme == "required"]
    return tuple(current or fitting)


def _misfits(image: ImageFacts, kind: TypeFacts) -> Iterator[str]:
    if image.architecture not in kind.architectures:
        yield f"runs {_or(kind.architectures)}, the base is {image.architecture}"
        return
    for check in _CHECKS:
        if said := check(image, kind):
            yield said


def _virtualization(image: ImageFacts, kind: TypeFacts) -> str | None:
    if image.virtualization in kind.virtualizations:
        return None
    needed = _or(kind.virtualizations)
    return f"needs {needed} virtualization, the base is {image.virtualization}"


def _root(image: ImageFacts, kind: TypeFacts) -> str | None:
    if image.root_device_type in kind.root_devices:
        return None
    return f"boots from {_or(kind.root_devices)}, the image's root is {image.root_device_type}"


def _ena(image: ImageFacts, kind: TypeFacts) -> str | None:
    lacking = kind.ena == "required" and not image.ena
    return "requires ENA, which the base does not have" if lacking else None


def _nvme(image: ImageFacts, kind: TypeFacts) -> str | None:
    if kind.nvme != "required":
        return None
    for pattern, since in _NVME_SINCE:
        found = pattern.match(image.name)
        if found and _number(found[1]) < _number(since):
            return f"requires NVMe drivers, which come with {since}; the base is {found[1]}"
    return None


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _boot(image: ImageFacts, kind: TypeFacts) -> str | None:
    # EC2 User Guide, "Instance launch behavior with boot modes": uefi-preferred falls back to BIOS;
    # an image without a mode takes the type's default.
    modes = (None, "uefi-preferred", *kind.boot_modes)
    if not kind.boot_modes or image.boot_mode in modes:
        return None
    return f"boots by {_or(kind.boot_modes)}, the base by {image.boot_mode}"


def _usage(_: ImageFacts, kind: TypeFacts) -> str | None:
    if "on-demand" in kind.usages:
        return None
    return f"is offered as {_or(kind.usages)} only, Kiln launches on-demand instances"


_CHECKS: tuple[Callable[[ImageFacts, TypeFacts], str | None], ...] = (
    *(_virtualization, _root, _ena, _nvme, _boot, _usage),
)


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)
