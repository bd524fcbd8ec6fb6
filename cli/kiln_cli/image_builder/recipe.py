"""A recipe's own settings: parent image, volumes, user data, tags.

Managed images: EC2 Image Builder user guide, `arn:aws:imagebuilder:REGION:aws:image/NAME/x.x.x`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.names import plain_name
from kiln_cli.elsewhere.platforms import architecture_in, newest_base, platform_in
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.values import Open
from kiln_cli.elsewhere.volumes import root_volume
from kiln_cli.image_builder.estate import ARN, Estate, Resource

_IMAGE = re.compile(r"^ami-[0-9a-f]{8,17}$")
_PARAMETER = re.compile(r"^/[A-Za-z0-9_./-]{1,1010}$")
_ROOTS = ("/dev/sda1", "/dev/xvda", "/dev/sda")
_LAYER = "an image of Kiln's has its root alone; volumes beside it are a layer's (docs/volumes.md)"


def base_of(
    settings: Settings, recipe: Resource, estate: Estate, platform: str | None
) -> tuple[str, Document]:
    """Platform and `base`. Raises InvalidRequest where no name tells the platform."""
    parent = settings.values.get("parentImage")
    base = _parent(settings, parent)
    told = platform_in(str(parent) if isinstance(parent, str) else None) or platform
    if told is None:
        told = platform_in(*_systems(recipe, estate), recipe.name)
        if told is None:
            raise InvalidRequest(
                f"{recipe.about}: the platform cannot be told from its parent image; name it with "
                "--platform (ubuntu-24.04, amazon-linux-2023, windows-2022, ...)"
            )
        settings.assume("parentImage", f"the platform is {told}, as other names say")
    if base is None:
        base = newest_base(told, architecture_in(str(parent), recipe.name))
        if "parentImage" in settings.values and not _managed(parent):
            settings.want(
                "parentImage",
                f"what it starts from is not known; base is the newest public image of {told}",
            )
    return told, base


def _managed(parent: Any) -> bool:
    found = ARN.match(parent) if isinstance(parent, str) else None
    return bool(found and found["owner"] == "aws")


def _systems(recipe: Resource, estate: Estate) -> list[str | None]:
    """The systems that the recipe's components say they are for, where each names one."""
    listed = recipe.said.get("components")
    found: list[str | None] = []
    for one in listed if isinstance(listed, list) else []:
        link = one.get("componentArn") if isinstance(one, dict) else None
        component = estate.linked("component", link)
        systems = component.said.get("supportedOsVersions") if component else None
        if isinstance(systems, list) and len(systems) == 1:
            found.append(str(systems[0]))
    return found


def _parent(settings: Settings, parent: Any) -> Document | None:
    if isinstance(parent, Open) or not isinstance(parent, str):
        settings.text("parentImage")
        return None
    settings.take("parentImage")
    parameter = parent.removeprefix("ssm:").partition(":")[0]
    if _PARAMETER.match(parameter):
        return {"parameter": parameter}
    if _IMAGE.match(parent):
        reason = f"{parent} in Kiln's own Region; an id is of one Region alone"
        settings.assume("parentImage", reason)
        return {"image": parent}
    found = ARN.match(parent)
    if found and found["owner"] != "aws" and found["type"] == "image":
        name = plain_name(found["name"], "base", r"[^a-z0-9-]+")
        settings.want(
            "parentImage", f"base is blueprint {name}: import its recipe too, or name its image"
        )
        return {"blueprint": name}
    return None


def volume_of(settings: Settings) -> Document:
    """The builder's root volume."""
    found: Document = {}
    for number, mapping in enumerate(settings.items("blockDeviceMappings")):
        one = Settings(mapping, f"blockDeviceMappings.{number} of {settings.about}", settings.notes)
        device = one.text("deviceName")
        ebs = one.items("ebs")
        if device in _ROOTS and ebs:
            found |= root_volume(Settings(ebs[0], one.about, settings.notes), _EBS)
        else:
            settings.drop(f"blockDeviceMappings.{number}", f"{device or 'a volume'}: {_LAYER}")
    return found


_EBS = {
    "size_gib": "volumeSize",
    "type": "volumeType",
    "iops": "iops",
    "throughput_mib_s": "throughput",
    "kms_key": "kmsKeyId",
    "encrypted": "encrypted",
    "deleted": "deleteOnTermination",
    "snapshot": "snapshotId",
}


def user_data_of(settings: Settings) -> str:
    """The script in `userDataOverride`, empty where there is none that could be a step."""
    for extra in settings.items("additionalInstanceConfiguration"):
        one = Settings(extra, settings.about, settings.notes)
        agent = one.items("systemsManagerAgent")
        if any(item.get("uninstallAfterBuild") for item in agent):
            reason = "Kiln's instances work through its agent; the image keeps it"
            settings.drop("systemsManagerAgent.uninstallAfterBuild", reason)
        text = _decoded(one.text("userDataOverride"))
        if text.startswith("#!"):
            settings.assume("userDataOverride", "the first step runs it, after the first boot")
            return text
        if text:
            reason = "a builder gets no user data; write what it does as the first step"
            settings.drop("userDataOverride", reason)
    return ""


def _decoded(text: str | None) -> str:
    try:
        return base64.b64decode(text or "", validate=True).decode()
    except (binascii.Error, ValueError):
        return text or ""
