"""Names that Kiln gives: bake ids, image names, tags, client tokens. All are functions of their
arguments."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

from kiln.domain.platforms import Family

NAME = re.compile(r"^[a-z0-9-]{1,48}$")
BAKE_ID = re.compile(r"^(?P<blueprint>[a-z0-9-]{1,48})-\d{8}-\d{6}-[0-9a-f]{4}$")
TAG_BAKE, TAG_BLUEPRINT, TAG_MANAGED, TAG_ROLE = (
    "kiln:bake",
    "kiln:blueprint",
    "kiln:managed",
    "kiln:role",
)
TAG_STACK, TAG_LAYER, TAG_CHEF, TAG_PLATFORM, TAG_RELEASE, TAG_ROLLOUT, TAG_CHANGE = (
    "kiln:stack",
    "kiln:layer",
    "kiln:chef",
    "kiln:platform",
    "kiln:release",
    "kiln:rollout",
    "kiln:change",
)
# RunInstances tags all volumes of a launch alike, so each carries all of these.
_TAG_MOUNT = "kiln:mount:"
_IMAGE_FIELDS = ("blueprint", "version", "bake", "date", "time")
_FIELD = re.compile(r"\{([^{}]*)\}")
# EC2 API, CreateImage, parameter Name.
_IMAGE_NAME = re.compile(r"^[A-Za-z0-9()\[\] ./\-'@_]{3,128}$")


def bake_id(blueprint: str, started: datetime, randomness: str) -> str:
    """`web-20261123-101500-9f3a`: the name of the execution and of everything that it makes."""
    digest = hashlib.sha256(randomness.encode()).hexdigest()[:4]
    return f"{blueprint}-{started.astimezone(UTC):%Y%m%d-%H%M%S}-{digest}"


def bake_of(blueprint: str, execution: str, started: datetime) -> str:
    """The bake of an execution: its name where that is a bake id of the blueprint, else one made
    from it. A scheduler and the console give executions names of their own."""
    found = BAKE_ID.match(execution)
    if found and found["blueprint"] == blueprint:
        return execution
    return bake_id(blueprint, started, execution)


def blueprint_of(bake: str) -> str:
    """The blueprint's name inside a bake id. Raises ValueError for anything else."""
    found = BAKE_ID.match(bake)
    if not found:
        raise ValueError(f"{bake!r} is not a bake id; one looks like web-20261123-101500-9f3a")
    return found["blueprint"]


def check_image_name(template: str) -> str:
    """The template itself, or ValueError naming an unknown field or a character EC2 refuses."""
    for field in _FIELD.findall(template):
        if field not in _IMAGE_FIELDS:
            allowed = ", ".join(f"{{{name}}}" for name in _IMAGE_FIELDS)
            raise ValueError(f"{{{field}}} is not a known field; allowed: {allowed}")
    bare = _FIELD.sub("xxx", template)
    if not _IMAGE_NAME.match(bare):
        raise ValueError(
            f"{template!r} holds a character that EC2 refuses; allowed: letters, digits, ( ) [ ] "
            "space . / - ' @ _"
        )
    return template


def image_name(template: str, bake: str, version: int) -> str:
    """The image's name for this bake; the same call gives the same name, so that a repeat finds
    it."""
    fields = {
        "blueprint": blueprint_of(bake),
        "version": str(version),
        "bake": bake,
        "date": bake[-20:-12],
        "time": bake[-11:-5],
    }
    return _FIELD.sub(lambda found: fields[found[1]], template)[:128]


def bake_tags(bake: str, role: str) -> dict[str, str]:
    """The tags that every resource of a bake carries from the call that creates it."""
    return {
        TAG_BAKE: bake,
        TAG_BLUEPRINT: blueprint_of(bake),
        TAG_MANAGED: "true",
        TAG_ROLE: role,
    }


def mount_tag(device: str) -> str:
    """The key of the tag that tells a device's mount point: `kiln:mount:sdf` of /dev/sdf."""
    return f"{_TAG_MOUNT}{device.removeprefix('/dev/')}"


def client_token(*parts: str) -> str:
    """A ClientToken of 64 ASCII characters: the same parts give the same token."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def output_prefix(bake: str, label: str) -> str:
    """Where in the bucket Systems Manager puts the full output of one command of a bake."""
    return f"bakes/{bake}/{label}"


def step_output_key(prefix: str, command: str, instance: str, step: str, family: Family) -> str:
    """The key of a step's whole standard output, laid out as the SSM agent does: by the plugin
    that ran it, then by its name."""
    plugin = "awsrunPowerShellScript" if family is Family.WINDOWS else "awsrunShellScript"
    return f"{prefix}/{command}/{instance}/{plugin}/{step}/stdout"


def member_id(instance: str) -> str:
    """The own id of an instance that an Auto Scaling group launched, from EC2's."""
    return str(uuid5(NAMESPACE_OID, instance))
