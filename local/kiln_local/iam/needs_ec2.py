"""What EC2's operations are checked against: each resource that a call touches or makes, with its
condition keys.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2";
EC2 User Guide, "Grant permissions to copy Amazon EC2 AMIs".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiln_local.iam.calls import Call, parameter_arn, tag_keys
from kiln_local.iam.ec2_plain import one, plain, tagged
from kiln_local.iam.facts import Ec2Facts, backend
from kiln_local.iam.launches import keys_of, launch, snapshots_of, uses_key
from kiln_local.iam.statements import Check

# CreateTags and DeleteTags name resources of any type; an id says which.
_TYPES = {
    "ami": "image",
    "eni": "network-interface",
    "i": "instance",
    "lt": "launch-template",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
# AWS makes the call on behalf of who called it.
_VIA = {"aws:viaawsservice": "true"}


def needs(call: Call) -> Iterator[Check]:
    """What one operation of EC2 needs."""
    facts = Ec2Facts(call.account, call.region)
    special = _SPECIAL.get(call.operation, plain)
    yield from special(call, facts)


def _tags(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    tags = {tag["Key"]: tag.get("Value", "") for tag in call.params.get("Tags", ())}
    for name in call.params["Resources"]:
        kind = _TYPES.get(name.partition("-")[0], "")
        keys = {"ec2:Region": call.region, **facts.of(kind, name), **tag_keys(tags, "RequestTag")}
        resource = call.arn(kind, name) if kind else "*"
        yield call.check(call.name, resource, kind, keys)


def _create_image(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    yield from plain(call, facts, made=("image", "snapshot"))


def _register(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """An image that is made. EC2 looks at the bundle as whoever calls: that it asks for the
    bucket's place and list and for the parts' lists of access besides the parts is assumed."""
    yield one(call, facts, "image", "*")
    yield from tagged(call)
    manifest = str(call.params.get("ImageLocation") or "")
    bucket = f"arn:aws:s3:::{manifest.partition('/')[0]}"
    if manifest:
        for action in ("GetBucketLocation", "ListBucket"):
            yield Check(f"s3:{action}", bucket, _VIA)
        for action in ("GetObject", "GetObjectAcl"):
            yield Check(f"s3:{action}", f"arn:aws:s3:::{manifest}", _VIA)


def _copy(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """What is copied, in its Region, with the keys that the reference has for it, and what is
    made. Tags of what is copied are not among them."""
    params = call.params
    source = Call(call.prefix, call.operation, {}, params["SourceRegion"], call.account)
    there = Ec2Facts(call.account, source.region)
    image = backend("ec2", call.account, source.region).amis.get(params["SourceImageId"])
    yield one(source, there, "image", params["SourceImageId"])
    for snapshot in snapshots_of(image):
        yield one(source, there, "snapshot", snapshot.id)
    yield one(call, facts, "image", "*")
    yield one(call, facts, "snapshot", "*")
    yield from tagged(call)
    if params.get("KmsKeyId"):
        yield from uses_key(call, params["KmsKeyId"])
    for key in keys_of(params["SourceImageId"], source):
        yield from uses_key(source, key)


def _deregister(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """With DeleteAssociatedSnapshots also DeleteSnapshot of each (EC2 API, DeregisterImage)."""
    yield from plain(call, facts)
    image = backend("ec2", call.account, call.region).amis.get(call.params["ImageId"])
    if call.params.get("DeleteAssociatedSnapshots"):
        for snapshot in snapshots_of(image):
            yield from plain(call.within("DeleteSnapshot", {"SnapshotId": snapshot.id}), facts)


def _versions(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """Who lets EC2 resolve a parameter reads it (EC2 User Guide, "Use a Systems Manager parameter
    instead of an AMI ID")."""
    yield from plain(call, facts)
    template = facts.template(dict(call.params)) if call.params.get("ResolveAlias") else None
    for version in template.versions if template else ():
        image = str(version.data.get("ImageId") or "")
        if image.startswith("resolve:ssm:"):
            resource = parameter_arn(call, image.removeprefix("resolve:ssm:"))
            yield Check("ssm:GetParameters", resource, _VIA)


def _fast_launch(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """The image; and the service-linked role, made at the first use (EC2 User Guide,
    "Service-linked role for EC2 Fast Launch")."""
    yield from plain(call, facts)
    service = "ec2fastlaunch.amazonaws.com"
    role = "AWSServiceRoleForEC2FastLaunch"
    resource = f"arn:aws:iam::{call.account}:role/aws-service-role/{service}/{role}"
    keys = {"iam:AWSServiceName": service}
    yield call.check("iam:CreateServiceLinkedRole", resource, "role", keys)


_SPECIAL: dict[str, Any] = {
    "RunInstances": launch,
    "CreateImage": _create_image,
    "RegisterImage": _register,
    "CopyImage": _copy,
    "DeregisterImage": _deregister,
    "CreateTags": _tags,
    "DeleteTags": _tags,
    "DescribeLaunchTemplateVersions": _versions,
    "EnableFastLaunch": _fast_launch,
}
