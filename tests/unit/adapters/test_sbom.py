"""The bill of materials, held to CycloneDX's own schema."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from kiln.adapters.sbom import CycloneDxBills
from kiln.domain.packages import Manifest, Package, PackageKind, Subject, in_order
from kiln.domain.platforms import PLATFORMS, Family
from tests.builders import BAKE, NOW

ROOT = Path(__file__).parents[3]
IMAGE = "ami-0a1b2c3d4e5f60718"


def a_manifest(platform: str, *packages: Package) -> Manifest:
    """A manifest of some packages."""
    subject = Subject(
        image=IMAGE,
        name="web-20261123-101500",
        bake=BAKE,
        blueprint="web",
        version=3,
        platform=platform,
        architecture="x86_64",
    )
    return Manifest(subject=subject, packages=in_order(packages))


def a_package(
    kind: str, name: str, version: str = "1.0-1", architecture: str = "x86_64"
) -> Package:
    """A package."""
    return Package(kind=PackageKind(kind), name=name, version=version, architecture=architecture)


def written(manifest: Manifest) -> dict[str, Any]:
    """A bill, valid by the schema."""
    text = CycloneDxBills().write(manifest, NOW).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill: dict[str, Any] = json.loads(text)
    return bill


def test_the_bill_is_about_the_image_and_says_who_wrote_it_when() -> None:
    bill = written(a_manifest("amazon-linux-2023", a_package("rpm", "bash")))
    about = bill["metadata"]
    assert (about["component"]["name"], about["component"]["version"]) == (
        "web-20261123-101500",
        IMAGE,
    )
    assert about["component"]["bom-ref"] == IMAGE
    assert {"name": "kiln:bake", "value": BAKE} in about["component"]["properties"]
    assert [tool["name"] for tool in about["tools"]["components"]] == ["kiln"]
    assert about["timestamp"] == NOW.isoformat()
    depends = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    assert depends[IMAGE] == [component["bom-ref"] for component in bill["components"]]


@pytest.mark.parametrize(
    ("platform", "package", "purl"),
    [
        (
            "amazon-linux-2023",
            a_package("rpm", "nginx", "1:1.28.0-1.amzn2023"),
            "pkg:rpm/amzn/nginx@1.28.0-1.amzn2023?arch=x86_64&distro=amzn-2023&epoch=1",
        ),
        (
            "rhel-9",
            a_package("rpm", "libstdc++", "11.5.0-2.el9", "i686"),
            "pkg:rpm/redhat/libstdc%2B%2B@11.5.0-2.el9?arch=i686&distro=rhel-9",
        ),
        (
            "ubuntu-22.04",
            a_package("deb", "git", "1:2.34.1-1ubuntu1.11", "amd64"),
            "pkg:deb/ubuntu/git@1:2.34.1-1ubuntu1.11?arch=amd64&distro=ubuntu-22.04",
        ),
        (
            "windows-2022",
            a_package("program", "Amazon SSM Agent", "3.3.0.0", "x64"),
            "pkg:generic/Amazon%20SSM%20Agent@3.3.0.0?arch=x64&distro=windows-2022",
        ),
        (
            "windows-2022",
            a_package("feature", "Web-Server", "", ""),
            "pkg:generic/Web-Server?distro=windows-2022",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value else "",
)
def test_a_package_has_the_url_by_which_others_know_it(
    platform: str, package: Package, purl: str
) -> None:
    (component,) = written(a_manifest(platform, package))["components"]
    assert PackageURL.from_string(component["purl"]) == PackageURL.from_string(purl)
    assert (component["name"], component.get("version", "")) == (package.name, package.version)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_bill_can_be_written_on_every_platform(platform: str) -> None:
    kind = {Family.RPM: "rpm", Family.DEB: "deb"}.get(PLATFORMS[platform].family, "hotfix")
    bill = written(a_manifest(platform, a_package(kind, "a-name"), a_package(kind, "b")))
    assert len({component["bom-ref"] for component in bill["components"]}) == 2


def test_packages_of_one_name_are_told_apart() -> None:
    several = [a_package("rpm", "kernel", version) for version in ("6.1-1", "6.1-2")]
    several.append(a_package("rpm", "kernel", "6.1-1", "noarch"))
    assert len(written(a_manifest("rhel-9", *several))["components"]) == 3


def test_the_same_packages_make_the_same_bytes_but_for_the_time() -> None:
    packages = [a_package("deb", name) for name in "cab"]
    first = CycloneDxBills().write(a_manifest("debian-12", *packages), NOW)
    assert CycloneDxBills().write(a_manifest("debian-12", *reversed(packages)), NOW) == first
    later = CycloneDxBills().write(a_manifest("debian-12", *packages), NOW + timedelta(hours=1))
    now, then = json.loads(first), json.loads(later)
    assert now["metadata"].pop("timestamp") != then["metadata"].pop("timestamp")
    assert now == then
