"""The public images of the local AWS and the public parameters that name them, from
catalog.yaml."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln_local.fastyaml import load

_FILE = Path(__file__).with_name("catalog.yaml")
_ALT = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True)
class PublicImage:
    """One public image of one architecture."""

    id: str
    platform: str
    owner: str
    name: str
    architecture: str
    virtualization: str
    ena: bool
    boot_mode: str | None
    root: str
    parameters: tuple[str, ...]
    language: str = "en-US"
    deprecated: bool = False

    @property
    def windows(self) -> bool:
        """Whether EC2 would say `Platform: windows`."""
        return self.platform.startswith("windows")


def public_images() -> tuple[PublicImage, ...]:
    """All of them."""
    return tuple(_images())


def _images() -> Iterator[PublicImage]:
    for row in load(_FILE.read_text()):
        for architecture in row.get("arch", ["x86_64"]):
            for release in row.get("releases", [""]):
                yield _image(row, architecture, release)


def _image(row: dict[str, Any], architecture: str, release: str) -> PublicImage:
    words = {"arch": architecture, "alt": _ALT[architecture]}
    name = row["name"].format(release=release, **words)
    digest = hashlib.sha256(f"{name} {architecture}".encode()).hexdigest()
    return PublicImage(
        id=f"ami-0{digest[:16]}",
        platform=row["platform"],
        owner=row["owner"],
        name=name,
        architecture=architecture,
        virtualization=row.get("virtualization", "hvm"),
        ena=row.get("ena", True),
        # An Arm image boots by UEFI only (EC2 User Guide, "Instance boot modes").
        boot_mode="uefi" if architecture == "arm64" else row.get("boot_mode"),
        root=row.get("root", "ebs"),
        language=row.get("language", "en-US"),
        parameters=tuple(p.format(**words) for p in row.get("parameters", ())),
        deprecated=bool(release),
    )
