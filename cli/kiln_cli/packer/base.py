"""Which image a build starts from, and which platform that is."""

from __future__ import annotations

import re
from typing import Any

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.platforms import architecture_in, newest_base, platform_in
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.values import MARKS, Open
from kiln_cli.packer.hcl import settings_of
from kiln_cli.packer.names import Scope

_IMAGE = re.compile(r"^ami-[0-9a-f]{8,17}$")
_PARAMETER = re.compile(r"^/[A-Za-z0-9_./-]{1,1010}$")
# What Kiln checks of every base anyway: against the instance types, and root_device.
_FILTERS = dict.fromkeys(
    ("virtualization-type", "root-device-type", "architecture", "state", "image-type"), ""
)
_BY_NAME = "a lookup goes by owner and name; write the name's pattern closer"
_UNTOLD = (
    "the platform cannot be told; name it with --platform (ubuntu-24.04, amazon-linux-2023, "
    "windows-2022, ...)"
)


def base_of(
    settings: Settings, hints: tuple[str | None, ...], platform: str | None, scope: Scope | None
) -> tuple[str, Document]:
    """Platform and `base` of a builder; `hints` are texts that may name the platform, `platform`
    is taken where nothing else tells it. Raises InvalidRequest."""
    named = _named(settings, scope)
    looked = named or _looked_up(settings, "source_ami_filter")
    told = platform_in(*(_texts(looked) if looked else ()), *_all_texts(settings))
    told = told or platform
    if told is None:
        told = platform_in(*hints)
        if told is None:
            raise InvalidRequest(f"{settings.about}: {_UNTOLD}")
        settings.assume("source_ami", f"the platform is {told}, as its names say")
    if looked is None:
        types = settings.values.get("instance_type")
        kind = types if isinstance(types, str) else None
        architecture = architecture_in(kind, *_all_texts(settings), *hints)
        looked = newest_base(told, architecture)
        settings.want(
            "source_ami",
            f"what it starts from is not known; base is the newest public image of {told}",
        )
    return told, looked


def _texts(base: Document) -> tuple[str | None, ...]:
    lookup = base.get("lookup") or {}
    return base.get("parameter"), lookup.get("name")


def _all_texts(settings: Settings) -> tuple[str | None, ...]:
    """Where the base is not known, its filter may still name the platform."""
    found = settings.values.get("source_ami_filter")
    block = found[0] if isinstance(found, list) and found else found
    filters = _filters(block.get("filters")) if isinstance(block, dict) else {}
    name = filters.get("name")
    return (name if isinstance(name, str) else None,)


def _named(settings: Settings, scope: Scope | None) -> Document | None:
    """A base by its id, by a parameter, or by data that is looked up."""
    given = settings.values.get("source_ami")
    if isinstance(given, Open) and given.reference[:1] == ("data",) and scope:
        settings.take("source_ami")
        return _data(given.reference, scope, settings)
    found = settings.text("source_ami")
    if found is None:
        return None
    parameter = found.removeprefix("resolve:ssm:").partition(":")[0]
    if _PARAMETER.match(parameter):
        return {"parameter": parameter}
    if _IMAGE.match(found):
        settings.assume("source_ami", f"{found} in Kiln's own Region; an id is of one Region alone")
        return {"image": found}
    settings.drop("source_ami", f"{found[:60]!r} is no image's id")
    return None


def _data(reference: tuple[str, ...], scope: Scope, settings: Settings) -> Document | None:
    block = scope.data[reference[1], reference[2]]
    found = Settings(settings_of(block), f"data {'.'.join(reference[1:3])[:80]}", settings.notes)
    if reference[1] == "amazon-ami":
        base = _looked_up_in(found)
    elif reference[1] in ("amazon-parameterstore", "amazon-ssm-parameter"):
        name = found.text("name")
        base = {"parameter": name} if name and _PARAMETER.match(name) else None
    else:
        found.want("data", "Packer alone knows this source of data; write what it finds")
        return None
    for key in ("most_recent", "with_decryption", "include_deprecated"):
        found.take(key)
    found.finish(_ACCESS, "a lookup goes by owner and name alone")
    return base


_ACCESS = dict.fromkeys(
    ("region", "profile", "access_key", "secret_key", "token", "assume_role"),
    "Kiln works with the account and Region that it is deployed in",
)


def _looked_up(settings: Settings, key: str) -> Document | None:
    items = settings.items(key)
    if not items:
        return None
    found = Settings(items[0], f"{key} of {settings.about}", settings.notes)
    base = _looked_up_in(found)
    for name in ("most_recent", "include_deprecated"):
        if found.flag(name) and name == "include_deprecated" and base:
            base["allow_deprecated"] = True
    found.finish({}, "a lookup goes by owner and name alone")
    return base


def _looked_up_in(found: Settings) -> Document | None:
    filters = Settings(_filters(found.take("filters")), f"filters of {found.about}", found.notes)
    names, owners = filters.texts("name"), found.texts("owners")
    filters.finish(_FILTERS, _BY_NAME)
    if len(names) > 1:
        filters.drop("name", f"a lookup has one name; {names[0][:60]!r} is taken")
    if len(owners) > 1:
        found.drop("owners", f"a lookup has one owner; {owners[0][:40]!r} is taken")
    if not names or not owners or MARKS.search(names[0] + owners[0]):
        found.want("filters", "a lookup needs a name and an owner of which all is known")
        return None
    return {"lookup": {"owner": owners[0], "name": names[0]}}


def _filters(given: Any) -> dict[str, Any]:
    """A mapping of filters; or blocks of them, {name, values}; or a list of one mapping."""
    found: dict[str, Any] = {}
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and one.keys() >= {"key", "value"}:
            found[str(one["key"])] = one["value"]
        elif isinstance(one, dict):
            found |= one
    return found
