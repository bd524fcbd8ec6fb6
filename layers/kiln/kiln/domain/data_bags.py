"""What recipes are told of their stack, as Chef 12's data bags: one item per object.

The shapes are those of the opsworks guide, "Data Bag Reference", online instances only. Private
keys and the credentials of sources, which OpsWorks sent along, are never in them. What Kiln has no
notion of has a bag without items.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln.domain.attributes import Snapshot, attributes, custom_json
from kiln.domain.scaling import Scaling

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln.domain.stack import Layer

Json = dict[str, Any]
EMPTY = ("app", "elastic_load_balancer", "rds_db_instance", "ecs_cluster", "user")
_SCALING = {Scaling.ALWAYS: None, Scaling.TIME: "timer", Scaling.LOAD: "load"}


def data_bags(snapshot: Snapshot) -> dict[str, dict[str, Json]]:
    """Items by bag and id."""
    bags: dict[str, dict[str, Json]] = {f"aws_opsworks_{name}": {} for name in EMPTY}
    bags["aws_opsworks_stack"] = {snapshot.stack.name: _stack(snapshot)}
    bags["aws_opsworks_layer"] = {
        layer.name: _layer(layer, snapshot) for layer in snapshot.stack.layers
    }
    bags["aws_opsworks_instance"] = {i.hostname: _instance(i, snapshot) for i in snapshot.shown}
    bags["aws_opsworks_command"] = {"command": _command(snapshot)}
    return {
        bag: {name: {"id": name, **item} for name, item in items.items()}
        for bag, items in sorted(bags.items())
    }


def files(snapshot: Snapshot) -> dict[str, str]:
    """Everything that recipes read, by path: `attributes.json`, `data_bags/<bag>/<item>.json` and
    `nodes/<hostname>.json`."""
    found = {"attributes.json": _text(attributes(snapshot))}
    for bag, items in data_bags(snapshot).items():
        for name, item in items.items():
            found[f"data_bags/{bag}/{name}.json"] = _text(item)
    for instance in snapshot.shown:
        found[f"nodes/{instance.hostname}.json"] = _text(_node(instance, snapshot))
    return found


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def _stack(snapshot: Snapshot) -> Json:
    return {
        "stack_id": snapshot.stack.name,
        "name": snapshot.stack.name,
        "region": snapshot.region,
        "vpc_id": None,
        "arn": None,
        "custom_json": custom_json(snapshot),
        "use_custom_cookbooks": any(layer.source for layer in snapshot.stack.layers),
    }


def _layer(layer: Layer, snapshot: Snapshot) -> Json:
    return {
        "layer_id": layer.name,
        "name": layer.name,
        "shortname": layer.name,
        "stack_id": snapshot.stack.name,
        "type": "custom",
        "packages": [],
        "ecs_cluster_arn": None,
        "volume_configurations": [
            {
                "mount_point": volume.mount_point,
                "size": volume.size_gib,
                "volume_type": volume.type,
                "iops": volume.iops,
                "encrypted": volume.encrypted,
            }
            for volume in layer.volumes
        ],
    }


def _instance(instance: LayerInstance, snapshot: Snapshot) -> Json:
    at = snapshot.address(instance)
    return {
        "instance_id": instance.id,
        "ec2_instance_id": instance.ec2_id,
        "ami_id": instance.image,
        "architecture": instance.architecture or None,
        "auto_scaling_type": _SCALING[instance.scaling],
        "availability_zone": at.zone or None,
        "created_at": instance.created_at or None,
        "elastic_ip": None,
        "hostname": instance.hostname,
        "instance_type": instance.instance_type or None,
        "layer_ids": list(instance.layers),
        "layers": list(instance.layers),
        "role": list(instance.layers),
        "os": instance.platform or None,
        "private_dns": at.private_dns or None,
        "private_ip": at.private_ip or None,
        "public_dns": at.public_dns or None,
        "public_ip": at.public_ip or None,
        "root_device_type": instance.root_device,
        "self": instance.id == snapshot.target.id,
        "status": instance.state.value,
        "virtualization_type": "hvm",
    }


def _command(snapshot: Snapshot) -> Json:
    return {
        "args": snapshot.custom_json,
        "command_id": snapshot.command,
        "iam_user_arn": snapshot.deployment.by if snapshot.deployment else None,
        "instance_id": snapshot.target.id,
        "sent_at": snapshot.sent_at.isoformat(),
        "type": snapshot.event.value,
    }


def _node(instance: LayerInstance, snapshot: Snapshot) -> Json:
    """A node of Chef's local mode: what a search for nodes finds."""
    at = snapshot.address(instance)
    return {
        "name": instance.hostname,
        "chef_environment": "_default",
        "run_list": [f"role[{name}]" for name in instance.layers],
        "automatic": {
            "hostname": instance.hostname,
            "fqdn": at.private_dns or instance.hostname,
            "ipaddress": at.private_ip or None,
            "roles": list(instance.layers),
        },
        "normal": {},
        "default": {},
        "override": {},
    }
