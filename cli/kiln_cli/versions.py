"""What is stored of blueprints, for a person and as JSON: the list, one version, all of them."""

from __future__ import annotations

import json
from typing import Any

import yaml

from kiln.domain.channel import CHANNELS, Channel
from kiln.domain.version import BlueprintVersion
from kiln.errors import InvalidBlueprint
from kiln.ports import World
from kiln.steps._channels import histories
from kiln.steps._versions import version_of
from kiln_cli.difference import differences
from kiln_cli.yaml12 import read_yaml


def listed(name: str | None, world: World) -> list[dict[str, Any]]:
    """All blueprints that are stored, or one of them."""
    names = (version_of(name, None, world).blueprint,) if name else world.versions.names()
    return [_row(version_of(one, None, world), world) for one in names]


def _row(latest: BlueprintVersion, world: World) -> dict[str, Any]:
    made = world.records.images(latest.blueprint)
    rebuild = latest.document.get("rebuild") or {}
    return {
        "name": latest.blueprint,
        "version": latest.number,
        "author": latest.author,
        "at": latest.at,
        "image": made[-1].id if made else None,
        "channels": {channel: _in(latest.blueprint, channel, world) for channel in CHANNELS},
        "schedule": rebuild.get("schedule"),
    }


def _in(blueprint: str, channel: Channel, world: World) -> str | None:
    current = world.channels.current(blueprint, channel)
    return current.image if current else None


def promotions(name: str, world: World) -> dict[str, list[dict[str, Any]]]:
    """What the channels of a blueprint have held, oldest first."""
    held = histories(name, world).items()
    hidden = {"blueprint", "channel", "token"}
    return {
        channel: [entry.model_dump(mode="json", exclude=hidden) for entry in entries]
        for channel, entries in held
    }


def shown(version: BlueprintVersion) -> dict[str, Any]:
    """A version, JSON-ready."""
    return version.model_dump(mode="json")


class _Dumper(yaml.SafeDumper):
    """Scripts of several lines as they were written."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # What PyYAML takes for a text may be a number in YAML 1.2: `1e5`.
    style = "|" if "\n" in text else None if _is_plain(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain(text: str) -> bool:
    try:
        return bool(read_yaml(text) == text)
    except InvalidBlueprint:
        return False


_Dumper.add_representer(str, _text)


def as_yaml(version: BlueprintVersion) -> str:
    """The document as a file that `kiln apply` takes again and finds unchanged."""
    # What could steer a terminal, or hides in it, is escaped.
    safe = json.dumps(version.document, ensure_ascii=False).isprintable()
    dumped = yaml.dump(version.document, Dumper=_Dumper, sort_keys=False, allow_unicode=safe)
    return str(dumped)


def logged(name: str, world: World) -> list[dict[str, Any]]:
    """A blueprint's versions, oldest first, each with its difference to the one before. Raises
    InvalidBlueprint."""
    versions = world.versions.all_of(name)
    if not versions:
        version_of(name, None, world)
        raise InvalidBlueprint(f"{name}: no version is stored")
    before: tuple[BlueprintVersion | None, ...] = (None, *versions)
    return [_entry(old, new) for old, new in zip(before, versions, strict=False)]


def _entry(old: BlueprintVersion | None, new: BlueprintVersion) -> dict[str, Any]:
    rows = differences(old.document, new.document) if old else ()
    found = new.model_dump(mode="json", exclude={"document", "blueprint"})
    return found | {"difference": [vars(row) for row in rows]}
