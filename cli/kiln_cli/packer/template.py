"""What a template says, the same for both of Packer's languages: builds, each of one source."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln_cli.elsewhere.notes import Notes

if TYPE_CHECKING:
    from kiln_cli.packer.names import Scope


@dataclass
class Part:
    """A builder, a provisioner or a post-processor: its type, its settings, and how it is called in
    notes."""

    kind: str
    settings: dict[str, Any]
    about: str


@dataclass
class Build:
    """What makes one image. `id` is how `only` and `except` call it."""

    id: str
    name: str
    source: Part
    steps: list[Part] = field(default_factory=list)
    after: list[Part] = field(default_factory=list)


@dataclass
class Template:
    """All that the files of one template say; `folder` is where its scripts are looked for, `scope`
    the names of an HCL2 one."""

    folder: Path
    stem: str
    builds: list[Build] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    scope: Scope | None = None


def concerns(part: Part, build: Build) -> bool:
    """Whether a provisioner or post-processor is for a build, by its `only` and `except`."""
    only, but = part.settings.get("only"), part.settings.get("except")
    names = {build.id, build.id.partition(".")[2] or build.id, build.name}
    if isinstance(only, list) and only:
        return any(name in names for name in only if isinstance(name, str))
    if isinstance(but, list):
        return not any(name in names for name in but if isinstance(name, str))
    return True


def for_build(part: Part, build: Build) -> Part:
    """A part as this build has it: with what `override` says of it."""
    settings = {key: value for key, value in part.settings.items() if key not in _CHOICE}
    override = part.settings.get("override")
    own = override.get(build.name, override.get(build.id)) if isinstance(override, dict) else None
    return Part(part.kind, settings | (own if isinstance(own, dict) else {}), part.about)


_CHOICE = ("only", "except", "override")
