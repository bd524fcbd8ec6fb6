"""What is in an image: its packages, read from what a machine printed, kept, and compared.

A machine prints one package a line, `kind<TAB>name<TAB>version<TAB>architecture`, and last of all
`end<TAB>` and how many those were: a list that was cut off must not pass for a short one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kiln.domain.model import Lenient, Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class PackageKind(StrEnum):
    """Who keeps the books: rpm, dpkg, or Windows with its features, hot fixes and programs."""

    RPM = "rpm"
    DEB = "deb"
    FEATURE = "feature"
    HOTFIX = "hotfix"
    PROGRAM = "program"


# rpm and dpkg know a version of everything; Windows has features without one.
_VERSIONED = (PackageKind.RPM, PackageKind.DEB)
_END = "end"
# What rpm prints for a value that a package does not have: a public key has no architecture.
_NONE = "(none)"


class Package(Model):
    """One package as its books name it. `version` is `[epoch:]version-release` for rpm, and what
    dpkg calls the version for deb."""

    kind: PackageKind
    name: str
    version: str = ""
    architecture: str = ""


class Subject(Model):
    """The image that a list of packages is about."""

    image: str
    name: str
    bake: str
    blueprint: str
    version: int
    platform: str
    architecture: str


class Manifest(Model):
    """An image with its packages, in order of kind, name, architecture and version."""

    subject: Subject
    packages: tuple[Package, ...]


class Change(Model):
    """A package that has one version in place of another."""

    kind: PackageKind
    name: str
    architecture: str
    before: str
    after: str


class Difference(Model):
    """What one list of packages has and another has not."""

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[Change, ...]


class Contents(Model):
    """Where an image's manifest and bill of materials lie in Kiln's bucket, how many packages it
    has, and how many came, went and changed since the blueprint's image before it, if any."""

    manifest: str
    sbom: str = ""
    packages: int = 0
    previous: str | None = None
    added: int = 0
    removed: int = 0
    changed: int = 0


def manifest_key(image: str) -> str:
    """The key of an image's manifest."""
    return f"images/{image}/packages.json"


def sbom_key(image: str) -> str:
    """The key of an image's bill of materials."""
    return f"images/{image}/sbom.cdx.json"


def parse_packages(text: str) -> tuple[Package, ...]:
    """The packages that a machine printed, in order, each once.

    Raises ValueError, in words that follow "the list of packages": for one that ends early, that
    holds a line of another form, or no package at all.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    word, _, count = (lines.pop() if lines else "").partition("\t")
    if word != _END:
        raise ValueError("is cut off: its last line does not say that it ends")
    if count.strip() != str(len(lines)):
        raise ValueError(f"is cut off: it has {len(lines)} lines and says {count.strip()!r}")
    if not lines:
        raise ValueError("names no package")
    return in_order(_package(number, line) for number, line in enumerate(lines, start=1))


def in_order(packages: Iterable[Package]) -> tuple[Package, ...]:
    """Packages in the order of a manifest, each once."""
    return tuple(sorted(set(packages), key=lambda p: (p.kind, p.name, p.architecture, p.version)))


def _package(number: int, line: str) -> Package:
    fields = [("" if field == _NONE else field) for field in line.split("\t")]
    if len(fields) != 4:
        raise ValueError(f"has {len(fields)} fields in line {number}, {_shown(line)}; 4 are due")
    kind, name, version, architecture = fields
    if kind not in list(PackageKind):
        raise ValueError(f"names an unknown kind in line {number}, {_shown(line)}")
    if not name or (kind in _VERSIONED and not version):
        raise ValueError(f"lacks a name or a version in line {number}, {_shown(line)}")
    return Package(kind=PackageKind(kind), name=name, version=version, architecture=architecture)


def _shown(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:77] + "...")


def dump_manifest(manifest: Manifest) -> bytes:
    """A manifest as it is kept: JSON, the same bytes for the same manifest."""
    return (json.dumps(manifest.model_dump(mode="json"), indent=1) + "\n").encode()


class _Kept(Lenient):
    """A kept manifest; later versions of Kiln may have written more into it."""

    subject: dict[str, Any]
    packages: tuple[dict[str, Any], ...]


def load_manifest(body: bytes) -> Manifest:
    """A manifest that was kept. Raises ValueError for bytes that are none."""
    try:
        kept = _Kept.model_validate_json(body)
        return Manifest(
            subject=Subject(**_known(Subject, kept.subject)),
            packages=tuple(Package(**_known(Package, found)) for found in kept.packages),
        )
    except (ValidationError, TypeError) as error:
        raise ValueError("is no package manifest of Kiln's") from error


def _known(model: type[Model], found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key in model.model_fields}


_Key = tuple[PackageKind, str, str]


def difference(before: Iterable[Package], after: Iterable[Package]) -> Difference:
    """What was added, removed and changed.

    Several versions of one package may be installed side by side, as kernels are: only one that
    went and one that came are a change, everything else was added or removed.
    """
    gone, come = set(before) - set(after), set(after) - set(before)
    went, came = _versions(gone), _versions(come)
    changed = {
        key: (went[key][0], came[key][0])
        for key in went.keys() & came.keys()
        if len(went[key]) == len(came[key]) == 1
    }
    return Difference(
        added=in_order(p for p in come if _key(p) not in changed),
        removed=in_order(p for p in gone if _key(p) not in changed),
        changed=tuple(_changes(changed)),
    )


def _key(package: Package) -> _Key:
    return package.kind, package.name, package.architecture


def _versions(packages: Iterable[Package]) -> dict[_Key, list[str]]:
    found: dict[_Key, list[str]] = defaultdict(list)
    for package in packages:
        found[_key(package)].append(package.version)
    return found


def _changes(changed: dict[_Key, tuple[str, str]]) -> Iterator[Change]:
    for (kind, name, architecture), (before, after) in sorted(changed.items()):
        yield Change(kind=kind, name=name, architecture=architecture, before=before, after=after)
