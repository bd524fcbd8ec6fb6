"""EBS volumes beside the root: as EC2 keeps them, and as the machines have them.

moto forgets the IOPS that a launch asks for, and its images have a root alone; this adds both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instances import Instance

from kiln_local.machines.disks import Disk
from kiln_local.patches import Patches

if TYPE_CHECKING:
    from kiln_local.ec2 import Ec2

# What public images call their roots, and moto that of an instance without any mapping.
_ROOTS = ("/dev/sda1", "/dev/xvda")


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's volumes."""

    def add_block_device(
        self: Instance, size: Any, device_path: str, *given: Any, **more: Any
    ) -> None:
        _add(ec2, self, (size, device_path, *given), more)

    delete = EBSBackend.delete_volume

    def delete_volume(self: Any, volume_id: str) -> Any:
        deleted = delete(self, volume_id)
        ec2.room.linux.disks.forget(volume_id)
        return deleted

    drop = EBSBackend.delete_snapshot

    def delete_snapshot(self: Any, snapshot_id: str) -> Any:
        deleted = drop(self, snapshot_id)
        ec2.room.linux.disks.forget(snapshot_id)
        return deleted

    patches.set(Instance, "add_block_device", add_block_device)
    patches.set(EBSBackend, "delete_snapshot", delete_snapshot)
    patches.set(EBSBackend, "delete_volume", delete_volume)


def _add(ec2: Ec2, instance: Instance, given: tuple[Any, ...], more: dict[str, Any]) -> None:
    size, device, snapshot, encrypted, goes, key = given
    asked = ec2.mappings.get(device, {})
    volume = ec2.backend.create_volume(
        size=size,
        zone_name=instance._placement.zone,
        snapshot_id=snapshot,
        encrypted=encrypted,
        kms_key_id=key,
        iops=asked.get("Iops"),
        throughput=asked.get("Throughput"),
        **more,
    )
    ec2.backend.attach_volume(volume.id, instance.id, device, goes)


def mapped(
    ec2: Ec2, image_id: str, given: list[dict[str, Any]] | None
) -> list[dict[str, Any]] | None:
    """The mappings of a launch: what the caller gives, and what the image has besides."""
    image = ec2.backend.amis.get(image_id)
    beside = image.block_device_mappings[1:] if image and hasattr(image, "beside") else []
    known = {mapping["DeviceName"] for mapping in given or ()}
    more = [mapping for mapping in beside if mapping["DeviceName"] not in known]
    if not more:
        return given
    root = [] if given else image.block_device_mappings[:1]
    return [*(given or root), *more]


def disks_of(ec2: Ec2, instance: Instance) -> tuple[Disk, ...]:
    """The volumes that a machine has beside its root. NVMe devices are numbered as they answer,
    which is not in the order of their names (EBS User Guide, "Map Amazon EBS volumes to NVMe device
    names"): here by the volumes' ids."""
    kinds = ec2.backend.describe_instance_types([instance.instance_type])
    nitro = bool(kinds) and kinds[0].get("EbsInfo", {}).get("NvmeSupport") == "required"
    found = sorted(beside_root(instance), key=lambda pair: str(pair[1].volume_id))
    return tuple(
        Disk(
            volume=block.volume_id,
            device=device,
            name=f"nvme{number}n1" if nitro else _xen(device),
            source=ec2.backend.volumes[block.volume_id].snapshot_id,
        )
        for number, (device, block) in enumerate(found, 1)
        if block.volume_id in ec2.backend.volumes
    )


def reading_s(ec2: Ec2, instance: Instance) -> float:
    """How long it takes to read the slowest of an instance's volumes whole, by what it is to read a
    second; 125 MiB where nothing is said (EBS User Guide, "General Purpose SSD volumes")."""
    blocks = (block for _, block in instance.get_block_device_mapping)
    volumes = (
        ec2.backend.volumes[b.volume_id] for b in blocks if b.volume_id in ec2.backend.volumes
    )
    return max((v.size * 1024 / float(v.throughput or 125) for v in volumes), default=0.0)


def beside_root(instance: Instance) -> Iterator[tuple[str, Any]]:
    """Devices and volumes of an instance without its root."""
    return (pair for pair in instance.get_block_device_mapping if pair[0] not in _ROOTS)


def _xen(device: str) -> str:
    return "xvd" + device.removeprefix("/dev/").removeprefix("sd").removeprefix("xvd")


def snapshots(
    ec2: Ec2, instance: Instance, without: set[str], tags: dict[str, str]
) -> list[tuple[str, Any]]:
    """Snapshots of an instance's volumes beside the root, by device, as CreateImage makes them of
    all that no NoDevice leaves out."""
    made = []
    for device, block in beside_root(instance):
        if device not in without:
            snapshot = ec2.backend.create_snapshot(block.volume_id, f"Created for {instance.id}")
            snapshot.add_tags(tags)
            ec2.room.linux.disks.copy(block.volume_id, snapshot.id)
            made.append((device, snapshot))
    return made
