"""What a launch needs: an image, a subnet, security groups, an instance with its volumes and
interface, tags, the role that the instance gets, the key that encrypts.

Sources: Service Authorization Reference, RunInstances; EC2 User Guide, "Granting permissions to
pass a role"; EBS User Guide, "How Amazon EBS encryption works" (what is asked of a key).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from kiln_local.iam.calls import Call
from kiln_local.iam.ec2_plain import one, tagged
from kiln_local.iam.facts import Ec2Facts, backend
from kiln_local.iam.patterns import Value
from kiln_local.iam.statements import Check

# EBS User Guide, "Permissions for IAM users"; `ReEncrypt*` is two actions.
_KEY_ACTIONS = (
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
)


def launch(call: Call, facts: Ec2Facts) -> Iterator[Check]:
    """RunInstances. A volume for an EBS root and for each mapping, an interface, the subnet and the
    group that EC2 takes where a call names none. A snapshot only where a mapping names it."""
    params, template = dict(call.params), facts.template(call.params.get("LaunchTemplate") or {})
    common: dict[str, Value] = {}
    if template:
        version = template.get_version(params["LaunchTemplate"].get("Version", "$Default"))
        params = {**version.data, **params}
        common = {"ec2:LaunchTemplate": call.arn("launch-template", template.id)}
    call = call.within(call.operation, params)
    interface: dict[str, Any] = next(iter(params.get("NetworkInterfaces") or ()), {})
    subnet = params.get("SubnetId") or interface.get("SubnetId") or facts.default_subnet()
    groups = params.get("SecurityGroupIds") or interface.get("Groups") or ["*"]
    mapped = [m["Ebs"] for m in params.get("BlockDeviceMappings") or () if "Ebs" in m]
    made = {"instance": _instance_keys(call), "network-interface": {}, "volume": {}}
    touched = {
        "image": [_image_of(params, call)],
        "subnet": [subnet],
        "security-group": list(groups),
        "snapshot": [m["SnapshotId"] for m in mapped if m.get("SnapshotId")],
        "launch-template": [template.id] if template else [],
        "key-pair": [params["KeyName"]] if params.get("KeyName") else [],
    }
    for kind, names in touched.items():
        for name in names:
            yield one(call, facts, kind, name, common)
    for kind, keys in made.items():
        yield one(call, facts, kind, "*", common | keys)
    yield from tagged(call)
    yield from _role(call)
    asked = [str(m["KmsKeyId"]) for m in mapped if m.get("KmsKeyId")]
    for key in dict.fromkeys([*asked, *keys_of(touched["image"][0], call)]):
        yield from uses_key(call, key)


def _image_of(params: dict[str, Any], call: Call) -> str:
    image = str(params.get("ImageId") or "*")
    if not image.startswith("resolve:ssm:"):
        return image
    known = backend("ssm", call.account, call.region)
    found = known.get_parameter(image.removeprefix("resolve:ssm:"))
    return str(found.value) if found else "*"


def _instance_keys(call: Call) -> dict[str, Value]:
    params = call.params
    metadata = params.get("MetadataOptions") or {}
    found: dict[str, Value] = {
        "ec2:InstanceType": str(params.get("InstanceType", "m1.small")),
        "ec2:Tenancy": str((params.get("Placement") or {}).get("Tenancy", "default")),
        "ec2:EbsOptimized": str(bool(params.get("EbsOptimized"))).lower(),
    }
    for name in ("HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit"):
        if name in metadata:
            found[f"ec2:Metadata{name}"] = str(metadata[name])
    profile = _profile(call)
    return found | ({"ec2:InstanceProfile": profile} if profile else {})


def _profile(call: Call) -> str:
    given = call.params.get("IamInstanceProfile") or {}
    if given.get("Arn"):
        return str(given["Arn"])
    name = given.get("Name")
    return f"arn:aws:iam::{call.account}:instance-profile/{name}" if name else ""


def _role(call: Call) -> Iterator[Check]:
    """The role that an instance gets is passed by whoever launches it."""
    profile = _profile(call)
    if not profile:
        return
    known = backend("iam", call.account, call.region).instance_profiles.values()
    roles = [role.arn for found in known if found.arn == profile for role in found.roles]
    for role in roles or [f"arn:aws:iam::{call.account}:role/*"]:
        keys = {
            "iam:PassedToService": "ec2.amazonaws.com",
            "iam:AssociatedResourceArn": call.arn("instance", "*"),
        }
        yield call.check("iam:PassRole", role, "role", keys)


def uses_key(call: Call, key: str) -> Iterator[Check]:
    """EC2 uses a key on behalf of whoever calls it. Any key is taken to exist here, under an id
    that is made of its name, and to leave it to the account's policies who may use it."""
    name = key.rpartition(":key/")[2]
    if "alias/" in name:
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{call.region}/{name.rpartition(':')[2]}"))
    resource = f"arn:aws:kms:{call.region}:{call.account}:key/{name}"
    keys = {
        "kms:ViaService": f"ec2.{call.region}.amazonaws.com",
        "kms:CallerAccount": call.account,
        "kms:GrantIsForAWSResource": "true",
        "aws:ViaAWSService": "true",
    }
    for action in _KEY_ACTIONS:
        yield call.check(f"kms:{action}", resource, "key", keys)


def snapshots_of(image: Any) -> list[Any]:
    """The snapshots of an image of the local AWS; none of one that is not there."""
    if image is None or image.root_device_type != "ebs":
        return []
    return [image.ebs_snapshot, *(snapshot for _, snapshot in getattr(image, "beside", ()))]


def keys_of(image: str, call: Call) -> list[str]:
    """The account's own keys that an image's snapshots are encrypted with: AWS's own ask nobody."""
    found = backend("ec2", call.account, call.region).amis.get(image)
    used = (str(snapshot.kms_key_id or "") for snapshot in snapshots_of(found))
    return [key for key in dict.fromkeys(used) if key and "alias/aws/" not in key]
