"""Values for tests, valid as they are; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kiln.domain.bake import BakePlan, BakeRecord, ImageRecord
from kiln.domain.channel import ChannelImage
from kiln.domain.fit import TypeFacts
from kiln.domain.image import ImageFacts, Snapshot
from kiln.domain.naming import image_name
from kiln.domain.stack import Stack, stack_from
from kiln.domain.version import BlueprintVersion
from kiln.ports import World
from kiln.steps._versions import next_number

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
BAKE = "web-20261123-101500-9f3a"


def a_document(**overrides: Any) -> dict[str, Any]:
    """A blueprint as its file holds it."""
    document: dict[str, Any] = {
        "kind": "blueprint",
        "name": "web",
        "platform": "amazon-linux-2023",
        "base": {"image": "ami-0000000000000base".replace("base", "ba5e")},
        "steps": [{"name": "tune", "shell": "echo tuned"}],
    }
    return {key: value for key, value in (document | overrides).items() if value is not None}


def a_version(number: int = 1, **overrides: Any) -> BlueprintVersion:
    """A version of the blueprint `web`."""
    values: dict[str, Any] = {
        "blueprint": "web",
        "number": number,
        "document": a_document(),
        "author": "arn:aws:iam::123456789012:user/ada",
        "at": NOW.isoformat(),
    }
    return BlueprintVersion(**(values | overrides))


def an_entry(number: int = 1, **changes: Any) -> ChannelImage:
    """The n-th image in prod of web."""
    values: dict[str, Any] = {
        "blueprint": "web",
        "channel": "prod",
        "number": number,
        "image": f"ami-{number}",
        "bake": BAKE,
        "version": 7,
        "at": NOW.isoformat(),
        "by": "arn:aws:iam::123456789012:user/ada",
        "source": "staging",
    }
    return ChannelImage(**(values | changes))


def keep_version(document: dict[str, Any], world: World) -> None:
    """Store a blueprint as its next version."""
    name = document["name"]
    number = next_number(name, document, world)
    world.versions.add(a_version(number, blueprint=name, document=document))


def an_image(**overrides: Any) -> ImageFacts:
    """A public x86_64 image that every current type runs."""
    facts: dict[str, Any] = {
        "id": "ami-0000000000000ba5e",
        "name": "al2023-ami",
        "state": "available",
        "architecture": "x86_64",
        "ena": True,
        "boot_mode": "uefi-preferred",
        "snapshots": (Snapshot(device="/dev/xvda", snapshot="snap-1", size_gib=8),),
    }
    return ImageFacts(**(facts | overrides))


def a_type(name: str = "m7i.large", **overrides: Any) -> TypeFacts:
    """A current x86_64 instance type."""
    facts: dict[str, Any] = {
        "name": name,
        "architectures": ("x86_64",),
        "virtualizations": ("hvm",),
        "root_devices": ("ebs",),
        "boot_modes": ("legacy-bios", "uefi"),
        "ena": "required",
    }
    return TypeFacts(**(facts | overrides))


def a_plan(document: dict[str, Any] | None = None, **overrides: Any) -> BakePlan:
    """A plan for a blueprint."""
    document = document or a_document()
    bake = f"{document['name']}{BAKE.removeprefix('web')}"
    values: dict[str, Any] = {
        "bake": bake,
        "version": 1,
        "document": document,
        "base": an_image(),
        "instance_types": ("m7i.large", "m6i.large"),
        "image_name": image_name("{blueprint}-{date}-{time}", bake, 1),
        "started": NOW,
    }
    return BakePlan(**(values | overrides))


def a_record(plan: BakePlan | None = None, **overrides: Any) -> BakeRecord:
    """A running bake's record."""
    return BakeRecord(plan=plan or a_plan(), **overrides)


def an_image_record(**overrides: Any) -> ImageRecord:
    """The record of an image that a bake made."""
    values: dict[str, Any] = {
        "id": "ami-0000000000000aaaa",
        "name": "web-20261123-101500",
        "bake": BAKE,
        "blueprint": "web",
        "version": 1,
        "platform": "amazon-linux-2023",
        "architecture": "x86_64",
        "root_device": "ebs",
        "base": an_image().id,
        "region": "eu-west-1",
        "created": NOW,
    }
    return ImageRecord(**(values | overrides))


def a_stack(**overrides: Any) -> Stack:
    """The stack `shop` with a layer of today and one that OpsWorks made."""
    document: dict[str, Any] = {
        "kind": "stack",
        "name": "shop",
        "layers": [
            {
                "name": "web",
                "kind": "instances",
                "platform": "amazon-linux-2023",
                "instance_type": "m7i.large",
            },
            {
                "name": "app",
                "kind": "instances",
                "platform": "ubuntu-18.04",
                "chef": "12",
                "instance_type": "m6i.large",
            },
            {"name": "api", "kind": "autoscaling", "group": "shop-api"},
        ],
    }
    return stack_from(document | overrides)
