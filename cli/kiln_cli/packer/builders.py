"""An amazon builder's settings as a blueprint's: builder, image, distribution.

Settings: documentation of packer-plugin-amazon, builders ebs and instance.
"""

from __future__ import annotations

import re
from typing import Any

from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.names import image_name
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.sharing import Sharing, check_sharing
from kiln_cli.elsewhere.tags import tags_in
from kiln_cli.elsewhere.volumes import root_volume

# EC2 User Guide, "Device names for volumes": what the root is called.
_ROOTS = ("/dev/sda1", "/dev/xvda", "/dev/sda")
_TYPE = re.compile(r"^[a-z0-9-]+\.[a-z0-9-]+$")
_LAYER = "an image of Kiln's has its root alone; volumes beside it are a layer's (docs/volumes.md)"


def builder_of(settings: Settings) -> Document:
    """The `builder` of a blueprint."""
    types = settings.texts("instance_type") or settings.texts("spot_instance_types")
    if "instance_type" not in settings.values and types:
        settings.assume("spot_instance_types", "instance_types; Kiln launches on demand")
    good = [one for one in types if _TYPE.match(one)]
    document: Document = {}
    if good:
        document["instance_types"] = list(dict.fromkeys(good))
    elif types or "instance_type" not in settings.values:
        settings.assume("instance_type", "none is named; Kiln takes one that fits the base")
    volume = _root(settings)
    if volume:
        document["volume"] = volume
    return document


def _root(settings: Settings) -> Document:
    found: Document = {}
    for key in ("launch_block_device_mappings", "ami_block_device_mappings"):
        for number, mapping in enumerate(settings.items(key)):
            one = Settings(mapping, f"{key}.{number} of {settings.about}", settings.notes)
            device = one.text("device_name")
            if device in _ROOTS and key.startswith("launch"):
                found |= root_volume(one, _EBS)
            else:
                settings.drop(f"{key}.{number}", f"{device or 'a volume'}: {_LAYER}")
    key_id = settings.text("kms_key_id")
    encrypted = settings.flag("encrypt_boot")
    if encrypted is False:
        settings.drop("encrypt_boot", "Kiln encrypts every root")
    return found | ({"kms_key": key_id} if key_id else {})


_EBS = {
    "size_gib": "volume_size",
    "type": "volume_type",
    "iops": "iops",
    "throughput_mib_s": "throughput",
    "kms_key": "kms_key_id",
    "encrypted": "encrypted",
    "deleted": "delete_on_termination",
    "snapshot": "snapshot_id",
}


def image_of(settings: Settings) -> Document:
    """The `image` of a blueprint: name, tags."""
    document: Document = {}
    wanted = settings.text("ami_name")
    if wanted:
        name, said = image_name(wanted)
        document["name"] = name
        if said:
            settings.assume("ami_name", f"{name}: {said}")
    tags = tags_in(settings, "tags", "tag")
    if tags:
        document["tags"] = tags
    return document


def distribute_of(settings: Settings, builder: Document) -> Document:
    """The `distribute` of a blueprint."""
    own = settings.text("region")
    keys = settings.mapping("region_kms_key_ids")
    regions: list[Any] = []
    for region in dict.fromkeys(settings.texts("ami_regions")):
        if region == own:
            continue
        key_id = keys.pop(region, "")
        regions.append({"region": region} | ({"kms_key": key_id} if key_id else {}))
    for region, key_id in keys.items():
        if region == own and key_id and "kms_key" not in builder.get("volume", {}):
            builder.setdefault("volume", {})["kms_key"] = key_id
        elif region != own:
            settings.drop(f"region_kms_key_ids.{region[:40]}", "the image is not copied there")
    if own:
        settings.assume(
            "region", f"Kiln bakes in the Region that it is deployed in; that must be {own}"
        )
    sharing = Sharing(
        accounts=settings.texts("ami_users"),
        organizations=settings.texts("ami_org_arns"),
        units=settings.texts("ami_ou_arns"),
        copyable=settings.texts("snapshot_users"),
    )
    document = {"regions": regions} if regions else {}
    document |= check_sharing(sharing, settings, "ami_users", (builder, regions))
    document |= _fast_launch(settings)
    return document


def _fast_launch(settings: Settings) -> Document:
    blocks = settings.items("fast_launch")
    if not blocks:
        return {}
    one = Settings(blocks[0], f"fast_launch of {settings.about}", settings.notes)
    wanted = one.flag("enable_fast_launch")
    found = {
        "target_resource_count": one.whole("target_resource_count"),
        "max_parallel": one.whole("max_parallel_launches"),
    }
    one.finish({}, "fast launch has nothing like it here")
    kept = {key: value for key, value in found.items() if value}
    return {"fast_launch": kept} if wanted is not False else {}
