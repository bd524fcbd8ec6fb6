"""EC2's instances, their volumes and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import by_tag, pages, tag_list, tags_of
from kiln.adapters._errors import ignoring, translated
from kiln.domain.builder import Volume
from kiln.domain.fit import TypeFacts
from kiln.domain.naming import TAG_BAKE, TAG_CHANGE, mount_tag
from kiln.errors import AwsRefused
from kiln.ports import InstanceFacts, LaunchOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_ec2 import EC2Client

    from kiln.domain.volumes import LaunchVolume

_ALIVE = ["pending", "running", "stopping", "stopped"]
# All four are said: an account may have defaults of its own (ModifyInstanceMetadataDefaults).
# One hop, because a container on the instance must not borrow its role; no tags, because steps
# of a blueprint have no business with them.
_METADATA = {
    "HttpEndpoint": "enabled",
    "HttpTokens": "required",
    "HttpPutResponseHopLimit": 1,
    "InstanceMetadataTags": "disabled",
}


class Ec2Fleet:
    """`Fleet` on EC2. Every instance it launches has IMDSv2 only, an encrypted root and no key
    pair; every volume goes when it is terminated."""

    def __init__(self, ec2: EC2Client, security_group: str, instance_profile: str) -> None:
        self._ec2 = ec2
        self._security_group = security_group
        self._instance_profile = instance_profile

    def launch(self, order: LaunchOrder) -> str:
        """One RunInstances call; its client token makes it repeatable."""
        with translated("ec2", "RunInstances"):
            answer = self._ec2.run_instances(**self._request(order))
        return answer["Instances"][0]["InstanceId"]

    def _request(self, order: LaunchOrder) -> Any:
        ebs = order.image.root_device_type == "ebs"
        request: dict[str, Any] = {
            "ImageId": order.image.id,
            "InstanceType": order.instance_type,
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": order.token,
            # An instance-store root cannot be stopped: a shutdown ends it.
            "InstanceInitiatedShutdownBehavior": "stop" if ebs else "terminate",
            "MetadataOptions": dict(_METADATA),
            "TagSpecifications": _tagged(order),
        }
        if self._security_group:
            request["SecurityGroupIds"] = [self._security_group]
        if self._instance_profile:
            request["IamInstanceProfile"] = {"Name": self._instance_profile}
        if order.subnet:
            request["SubnetId"] = order.subnet
        mappings = [*([_root(order)] if ebs else ()), *map(_beside, order.volumes)]
        if mappings:
            request["BlockDeviceMappings"] = mappings
        return request

    def describe(self, instance: str) -> InstanceFacts | None:
        """One instance; EC2 may not know a new one for some seconds."""
        try:
            found = list(self._described(InstanceIds=[instance]))
        except AwsRefused as error:
            if error.code.startswith("InvalidInstanceID"):
                return None
            raise
        return found[0] if found else None

    def all_of(self, instances: Iterable[str]) -> tuple[InstanceFacts, ...]:
        """These instances. A filter, unlike a list of ids, does not fail on an unknown one; it
        takes 200 values (EC2 API reference, DescribeInstances)."""
        wanted = list(instances)
        parts = (wanted[at : at + 200] for at in range(0, len(wanted), 200))
        return tuple(
            found
            for part in parts
            for found in self._described(Filters=[{"Name": "instance-id", "Values": part}])
        )

    def of_bake(self, bake: str) -> tuple[InstanceFacts, ...]:
        """Instances with the bake's tag that are alive."""
        return self._alive(TAG_BAKE, bake)

    def of_change(self, change: str) -> tuple[InstanceFacts, ...]:
        """Instances with the change's tag that are alive."""
        return self._alive(TAG_CHANGE, change)

    def _alive(self, key: str, value: str) -> tuple[InstanceFacts, ...]:
        filters = [*by_tag(key, value), {"Name": "instance-state-name", "Values": _ALIVE}]
        return tuple(self._described(Filters=filters))

    def _described(self, **request: Any) -> Iterator[InstanceFacts]:
        for page in pages(self._ec2, "describe_instances", request):
            for reservation in page["Reservations"]:
                yield from map(_instance, reservation["Instances"])

    def resize(self, instance: str, instance_type: str) -> None:
        """Change a stopped instance's type."""
        with translated("ec2", "ModifyInstanceAttribute"):
            self._ec2.modify_instance_attribute(
                InstanceId=instance, InstanceType={"Value": instance_type}
            )

    def start(self, instance: str) -> None:
        """Ask a stopped instance to start."""
        with translated("ec2", "StartInstances"):
            self._ec2.start_instances(InstanceIds=[instance])

    def stop(self, instance: str, force: bool = False) -> None:
        """Ask for a stop."""
        with translated("ec2", "StopInstances"):
            self._ec2.stop_instances(InstanceIds=[instance], Force=force)

    def terminate(self, instances: Iterable[str]) -> None:
        """Ask for termination, one by one: a single unknown id makes EC2 refuse a whole list."""
        for instance in instances:
            with ignoring("InvalidInstanceID.NotFound"), translated("ec2", "TerminateInstances"):
                self._ec2.terminate_instances(InstanceIds=[instance])

    def volumes_of_bake(self, bake: str) -> tuple[str, ...]:
        """Volumes with the bake's tag that are attached to nothing."""
        filters = [*by_tag(TAG_BAKE, bake), {"Name": "status", "Values": ["available"]}]
        found = pages(self._ec2, "describe_volumes", {"Filters": filters})
        return tuple(volume["VolumeId"] for page in found for volume in page["Volumes"])

    def delete_volume(self, volume: str) -> None:
        """Delete a volume."""
        with ignoring("InvalidVolume.NotFound"), translated("ec2", "DeleteVolume"):
            self._ec2.delete_volume(VolumeId=volume)

    def types(self, names: Iterable[str]) -> tuple[TypeFacts, ...]:
        """Facts of instance types. A filter, unlike a list of names, does not fail on an unknown
        one."""
        wanted = list(names)
        if not wanted:
            return ()
        filters = [{"Name": "instance-type", "Values": wanted}]
        found = {
            entry["InstanceType"]: _type(entry)
            for page in pages(self._ec2, "describe_instance_types", {"Filters": filters})
            for entry in page["InstanceTypes"]
        }
        return tuple(found[name] for name in wanted if name in found)


def _tagged(order: LaunchOrder) -> list[dict[str, Any]]:
    """All volumes of a launch have the same tags: these say which device is mounted where."""
    tags = order.tags | ({"Name": order.hostname} if order.hostname else {})
    mounts = {mount_tag(volume.device): volume.mount_point for volume in order.volumes}
    by_kind = {"instance": tags, "volume": tags | mounts, "network-interface": tags}
    return [{"ResourceType": kind, "Tags": tag_list(found)} for kind, found in by_kind.items()]


def _beside(volume: LaunchVolume) -> dict[str, Any]:
    ebs: dict[str, Any] = {
        "Encrypted": volume.encrypted,
        "DeleteOnTermination": True,
        "VolumeType": volume.type,
        "VolumeSize": volume.size_gib,
    }
    if volume.iops:
        ebs["Iops"] = volume.iops
    return {"DeviceName": volume.device, "Ebs": ebs}


def _root(order: LaunchOrder) -> dict[str, Any]:
    volume = order.volume or Volume()
    ebs: dict[str, Any] = {
        "Encrypted": True,
        "DeleteOnTermination": True,
        "VolumeType": volume.type,
        "VolumeSize": max(volume.size_gib or 0, order.image.root_size_gib, 1),
    }
    if volume.kms_key:
        ebs["KmsKeyId"] = volume.kms_key
    if volume.iops:
        ebs["Iops"] = volume.iops
    if volume.throughput_mib_s:
        ebs["Throughput"] = volume.throughput_mib_s
    return {"DeviceName": order.image.root_device, "Ebs": ebs}


def _instance(found: Any) -> InstanceFacts:
    return InstanceFacts(
        id=found["InstanceId"],
        state=found["State"]["Name"],
        state_reason=found.get("StateReason", {}).get("Message", ""),
        image=found["ImageId"],
        instance_type=found["InstanceType"],
        tags=tags_of(found),
        private_ip=found.get("PrivateIpAddress", ""),
        private_dns=found.get("PrivateDnsName", ""),
        public_ip=found.get("PublicIpAddress", ""),
        public_dns=found.get("PublicDnsName", ""),
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        volumes={
            mapping["DeviceName"]: mapping["Ebs"]["VolumeId"]
            for mapping in found.get("BlockDeviceMappings", ())
            if "Ebs" in mapping
        },
    )


def _type(found: Any) -> TypeFacts:
    return TypeFacts(
        name=found["InstanceType"],
        architectures=tuple(found["ProcessorInfo"]["SupportedArchitectures"]),
        virtualizations=tuple(found["SupportedVirtualizationTypes"]),
        root_devices=tuple(found["SupportedRootDeviceTypes"]),
        boot_modes=tuple(found.get("SupportedBootModes", ())),
        ena=found["NetworkInfo"].get("EnaSupport", "unsupported"),
        nvme=found.get("EbsInfo", {}).get("NvmeSupport", "unsupported"),
        usages=tuple(found.get("SupportedUsageClasses", ("on-demand",))),
    )
