"""Versions of a blueprint: numbered from 1 without a gap, never changed, each signed by who stored
it. How one differs from the one before is worked out when it is shown: neither of them changes."""

from __future__ import annotations

import json
from typing import Any

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.model import Model
from kiln.domain.step import ShellFile
from kiln.errors import InvalidBlueprint

# An item of DynamoDB is at most 400 KB, names included (DynamoDB Developer Guide, "Quotas"). The
# record of a bake holds the whole document beside what was planned of it.
LARGEST_DOCUMENT = 300 * 1024


class BlueprintVersion(Model):
    """One version. `document` is what a bake is made from, scripts put in; `author` is the ARN of
    who stored it, `at` when, ISO 8601 in UTC. The last three are empty where nobody knows: in
    versions that were stored before they were kept."""

    blueprint: str
    number: int
    document: dict[str, Any]
    author: str = ""
    at: str = ""
    message: str = ""

    @property
    def label(self) -> str:
        """`web@7`."""
        return f"{self.blueprint}@{self.number}"

    @property
    def parsed(self) -> Blueprint:
        """The blueprint. InvalidBlueprint where a rule has come since that it breaks."""
        return blueprint_from(self.document)


def is_same(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two documents say the same, as JSON, where 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def split_version(wanted: str) -> tuple[str, int | None]:
    """`web@7` as name and number, `web` as a name alone. InvalidBlueprint for anything else."""
    name, at, number = wanted.partition("@")
    if at and not (number.isascii() and number.isdigit() and len(number) < 9):
        raise InvalidBlueprint(f"{wanted}: {number!r} is no version; write {name}@3")
    return name, int(number) if at else None


def check_storable(document: dict[str, Any]) -> None:
    """Raise InvalidBlueprint for what could not be baked from the table alone."""
    blueprint = blueprint_from(document)
    for key, steps in (("steps", blueprint.steps), ("verify.steps", blueprint.verify.steps)):
        for number, step in enumerate(steps):
            if isinstance(step.shell, ShellFile) or isinstance(step.powershell, ShellFile):
                raise InvalidBlueprint(
                    f"{key}.{number}: a script that is a file beside the blueprint is no part of "
                    "a stored version; `kiln apply` puts its text in"
                )
    size = len(json.dumps(document, ensure_ascii=False).encode())
    if size > LARGEST_DOCUMENT:
        raise InvalidBlueprint(
            f"the blueprint with its scripts has {size // 1024} KiB; {LARGEST_DOCUMENT // 1024} "
            "KiB can be stored: keep scripts in S3 and name them by script: {s3: ...}"
        )
