"""Bills of materials in CycloneDX, by the library of its makers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from kiln.domain.packages import Manifest, Package, PackageKind, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Serial numbers are made of image ids, so that a repeated call names the same bill.
_NAMESPACE = uuid.UUID("0a4f6d0e-6f0b-5f7e-9a53-3f0c7f4f7f11")
# purl-spec, types rpm and deb: the namespace is the vendor, `distro` the release. Names as vendors
# put them into os-release (ID), by which scanners look up their advisories.
_VENDORS = {
    "amazon-linux": ("amzn", "amzn"),
    "rhel": ("redhat", "rhel"),
    "centos": ("centos", "centos"),
    "ubuntu": ("ubuntu", "ubuntu"),
    "debian": ("debian", "debian"),
}


class CycloneDxBills:
    """`Bills` in CycloneDX 1.6, JSON."""

    def write(self, manifest: Manifest, at: datetime) -> bytes:
        """The image as the component that the bill is about, its packages as what it depends on."""
        subject = manifest.subject
        image = _image(subject)
        bill = Bom(
            serial_number=uuid.uuid5(_NAMESPACE, subject.image),
            metadata=BomMetaData(
                timestamp=at, component=image, tools=ToolRepository(components=[_kiln()])
            ),
            components=[_component(package, subject.platform) for package in manifest.packages],
        )
        bill.register_dependency(image, bill.components)
        return (JsonV1Dot6(bill).output_as_string(indent=1) + "\n").encode()


def _kiln() -> Component:
    return Component(type=ComponentType.APPLICATION, name="kiln", bom_ref="kiln")


def _image(subject: Subject) -> Component:
    about = {
        "bake": subject.bake,
        "blueprint": f"{subject.blueprint}@{subject.version}",
        "platform": subject.platform,
        "architecture": subject.architecture,
    }
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        name=subject.name,
        version=subject.image,
        bom_ref=subject.image,
        properties=_properties(about),
    )


def _component(package: Package, platform: str) -> Component:
    system = package.kind in (PackageKind.RPM, PackageKind.DEB)
    return Component(
        type=ComponentType.LIBRARY if system else ComponentType.APPLICATION,
        name=package.name,
        version=package.version or None,
        bom_ref="/".join((package.kind, package.name, package.version, package.architecture)),
        purl=_purl(package, platform),
        properties=_properties({"kind": package.kind.value}),
    )


def _properties(values: Mapping[str, str]) -> list[Property]:
    return [Property(name=f"kiln:{name}", value=value) for name, value in values.items()]


def _purl(package: Package, platform: str) -> PackageURL:
    """`pkg:rpm/amzn/nginx@1.28.0-1?arch=x86_64&distro=amzn-2023`, an epoch as a qualifier; Windows
    has no type of its own in purl-spec and takes `generic`."""
    name, _, release = platform.rpartition("-")
    qualifiers = {"arch": package.architecture, "distro": platform}
    if package.kind not in (PackageKind.RPM, PackageKind.DEB):
        return PackageURL("generic", None, package.name, package.version or None, qualifiers)
    vendor, distro = _VENDORS[name]
    qualifiers["distro"] = f"{distro}-{release}"
    version = package.version
    if package.kind is PackageKind.RPM and ":" in version:
        qualifiers["epoch"], _, version = version.partition(":")
    return PackageURL(package.kind.value, vendor, package.name, version, qualifiers)
