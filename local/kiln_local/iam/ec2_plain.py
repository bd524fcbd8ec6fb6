"""What an operation of EC2 needs that names what it touches and tags what it makes: most of them.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2";
EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kiln_local.iam import reference
from kiln_local.iam.calls import Call, tag_keys
from kiln_local.iam.facts import Ec2Facts
from kiln_local.iam.patterns import Value
from kiln_local.iam.statements import Check

# Where an operation names a resource, by its type.
_IDS = {
    "image": ("ImageId", "ImageIds"),
    "instance": ("InstanceId", "InstanceIds"),
    "network-interface": ("NetworkInterfaceId",),
    "security-group": ("GroupId", "GroupIds", "SecurityGroupIds"),
    "snapshot": ("SnapshotId", "SourceSnapshotIds", "SnapshotIds"),
    "subnet": ("SubnetId", "SubnetIds"),
    "volume": ("VolumeId", "VolumeIds"),
    "vpc": ("VpcId",),
}
_ATTRIBUTE = ("Attribute", "LaunchPermission", "CreateVolumePermission", "InstanceType")


def plain(call: Call, facts: Ec2Facts, made: Iterable[str] = ()) -> Iterator[Check]:
    """An operation that names what it touches; `made` are the types of what it makes."""
    action = reference.action(call.name)
    if action is None or not action.kinds:
        yield Check(call.name, "*", {"ec2:region": call.region})
        return
    for kind, row in action.kinds.items():
        names = [] if kind in made else list(_named(call, facts, kind))
        for name in names or (["*"] if row.required else []):
            yield one(call, facts, kind, name)
    yield from tagged(call)


def one(
    call: Call, facts: Ec2Facts, kind: str, name: str, more: Mapping[str, Value] | None = None
) -> Check:
    """A call's own action on one resource; `*` is one that is not there yet."""
    keys: dict[str, Value] = {"ec2:Region": call.region, **_attribute(call), **(more or {})}
    if name == "*":
        keys |= tag_keys(requested(call.params).get(kind, {}), "RequestTag")
    else:
        keys |= facts.of(kind, name)
    return call.check(call.name, call.arn(kind, name), kind, keys)


def _attribute(call: Call) -> dict[str, Value]:
    """Which attribute a call modifies, as far as these name it."""
    named = next((key for key in _ATTRIBUTE if call.params.get(key)), None)
    if named is None or not call.operation.startswith("Modify"):
        return {}
    return {"ec2:Attribute": str(call.params[named]) if named == "Attribute" else named}


def _named(call: Call, facts: Ec2Facts, kind: str) -> Iterator[str]:
    if kind == "launch-template":
        found = facts.template(dict(call.params))
        if found:
            yield str(found.id)
        return
    for name in _IDS.get(kind, ()):
        given = call.params.get(name)
        yield from [given] if isinstance(given, str) else given or ()


def requested(params: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The tags that a call puts on what it makes, by resource type."""
    return {
        str(one["ResourceType"]): {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        for one in params.get("TagSpecifications") or ()
    }


def tagged(call: Call) -> Iterator[Check]:
    """CreateTags for what a call tags as it makes it."""
    for kind, tags in requested(call.params).items():
        keys = tag_keys(tags, "RequestTag") | {"ec2:CreateAction": call.operation}
        keys["ec2:Region"] = call.region
        yield call.check("ec2:CreateTags", call.arn(kind, "*"), kind, keys)
