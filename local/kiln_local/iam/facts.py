"""What is true of the resources of the local AWS, for the condition keys of a policy: tags above
all.

Reads moto's own resources. Sources of the keys: Service Authorization Reference, "Condition keys
for Amazon EC2"; forms of their values: EC2 User Guide, "Example policies".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.backends import get_backend

from kiln_local.iam.patterns import Value

# Whose images AWS calls by a name (EC2 API, ImageOwnerAlias).
_ALIASES = {"801119661308": "amazon", "137112412989": "amazon"}


def backend(service: str, account: str, region: str) -> Any:
    """moto's backend of a service."""
    backends = get_backend(service)[account]
    return backends[region if region in backends.regions else "aws"]


class Ec2Facts:
    """Facts of one Region's EC2."""

    def __init__(self, account: str, region: str) -> None:
        self._ec2 = backend("ec2", account, region)
        self._account = account
        self._arn = f"arn:aws:ec2:{region}:{account}:"

    def of(self, kind: str, name: str) -> dict[str, Value]:
        """Tags and condition keys of a resource by its type and id; of one that is not there
        none."""
        tags = dict(self._ec2.tags.get(name, {}))
        found: dict[str, Value] = {}
        for key, value in tags.items():
            found[f"aws:ResourceTag/{key}"] = found[f"ec2:ResourceTag/{key}"] = value
        more = _KEYS.get(kind)
        return found | (more(self, name) if more else {})

    def image(self, name: str) -> dict[str, Value]:
        """Of an image."""
        image = self._ec2.amis.get(name)
        if image is None:
            return {"ec2:ImageID": name}
        owner = str(image.owner_id or self._account)
        return {
            "ec2:ImageID": name,
            "ec2:ImageType": "machine",
            "ec2:Owner": _ALIASES.get(owner, owner),
            "ec2:Public": str(bool(getattr(image, "public", owner != self._account))).lower(),
            "ec2:RootDeviceType": str(image.root_device_type or "ebs"),
        }

    def snapshot(self, name: str) -> dict[str, Value]:
        """Of a snapshot."""
        snapshot = self._ec2.snapshots.get(name)
        if snapshot is None:
            return {"ec2:SnapshotID": name}
        return {
            "ec2:SnapshotID": name,
            "ec2:Owner": str(snapshot.owner_id or self._account),
            "ec2:VolumeSize": str(snapshot.volume_size),
            "ec2:Encrypted": str(bool(snapshot.encrypted)).lower(),
        }

    def instance(self, name: str) -> dict[str, Value]:
        """Of an instance."""
        instance = self._ec2.get_instance_by_id(name)
        found: dict[str, Value] = {"ec2:InstanceID": name}
        if instance is None:
            return found
        profiles = list(self._ec2.iam_instance_profile_associations.values())
        own = next((p.iam_instance_profile.arn for p in profiles if p.instance.id == name), "")
        return found | {
            "ec2:InstanceType": str(instance.instance_type),
            "ec2:AvailabilityZone": str(instance.placement),
            "ec2:Tenancy": "default",
            "ec2:MetadataHttpTokens": str(instance.metadata_options.http_tokens or "optional"),
            **({"ec2:InstanceProfile": str(own)} if own else {}),
        }

    def volume(self, name: str) -> dict[str, Value]:
        """Of a volume."""
        volume = self._ec2.volumes.get(name)
        if volume is None:
            return {"ec2:VolumeID": name}
        return {
            "ec2:VolumeID": name,
            "ec2:VolumeSize": str(volume.size),
            "ec2:VolumeType": str(volume.volume_type),
            "ec2:Encrypted": str(bool(volume.encrypted)).lower(),
        }

    def subnet(self, name: str) -> dict[str, Value]:
        """Of a subnet."""
        found = next((s[name] for s in self._ec2.subnets.values() if name in s), None)
        if found is None:
            return {"ec2:SubnetID": name}
        return {
            "ec2:SubnetID": name,
            "ec2:Vpc": f"{self._arn}vpc/{found.vpc_id}",
            "ec2:AvailabilityZone": str(found.availability_zone),
        }

    def group(self, name: str) -> dict[str, Value]:
        """Of a security group."""
        found = next((g[name] for g in self._ec2.groups.values() if name in g), None)
        vpc = f"{self._arn}vpc/{found.vpc_id}" if found else ""
        return {"ec2:SecurityGroupID": name, **({"ec2:Vpc": vpc} if vpc else {})}

    def default_subnet(self) -> str:
        """Where EC2 launches what names no subnet."""
        every: Iterable[Any] = (s for zone in self._ec2.subnets.values() for s in zone.values())
        return next((str(s.id) for s in every if s.default_for_az), "*")

    def template(self, asked: dict[str, Any]) -> Any:
        """A launch template that a request names; None where there is none."""
        name = asked.get("LaunchTemplateId") or self._ec2.launch_template_name_to_ids.get(
            asked.get("LaunchTemplateName", ""), ""
        )
        return self._ec2.launch_templates.get(name)


_KEYS: dict[str, Any] = {
    "image": Ec2Facts.image,
    "snapshot": Ec2Facts.snapshot,
    "instance": Ec2Facts.instance,
    "volume": Ec2Facts.volume,
    "subnet": Ec2Facts.subnet,
    "security-group": Ec2Facts.group,
}


def group_tags(account: str, region: str, name: str) -> tuple[str, dict[str, str]]:
    """An Auto Scaling group's ARN and tags; ('', {}) where there is none."""
    group = backend("autoscaling", account, region).autoscaling_groups.get(name)
    if group is None:
        return "", {}
    return str(group.arn), {str(t["Key"]): str(t.get("Value", "")) for t in group.tags or ()}


def target_group_tags(account: str, region: str, arn: str) -> dict[str, str]:
    """A target group's tags."""
    known = backend("elbv2", account, region)
    if arn not in known.target_groups:
        return {}
    tagged = known.tagging_service.list_tags_for_resource(arn)["Tags"]
    return {str(t["Key"]): str(t["Value"]) for t in tagged}


def parameter_tags(account: str, region: str, name: str) -> dict[str, str]:
    """A parameter's tags."""
    tagged = backend("ssm", account, region)._resource_tags.get("Parameter", {}).get(name, {})
    return {str(key): str(value) for key, value in tagged.items()}
