"""What recipes are told of their stack: a snapshot, in the shape of OpsWorks's Chef 11 attributes.

The whole stack is in it, online instances only, and no secret: no key, no password, no source of
cookbooks (opsworks guide, "Stack Configuration and Deployment Attributes"). What Kiln has no notion
of is there and empty: RDS instances, applications, SSH users. `agent_version` and `ruby_version`
told of OpsWorks's own agent and are left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from kiln.domain.instance import Address, InstanceState, LayerInstance
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.stack import MOST_JSON, Layer, Stack
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from kiln.domain.deployment import Deployment

Json = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """A stack at the moment at which a command is sent to one of its instances.

    `command` is the command's id, `addresses` are those of EC2 instances by id whose records have
    none, `deployment` is what somebody asked for by hand.
    """

    stack: Stack
    instances: tuple[LayerInstance, ...]
    addresses: Mapping[str, Address]
    region: str
    target: LayerInstance
    event: LifecycleEvent
    command: str
    sent_at: datetime
    deployment: Deployment | None = None

    @property
    def custom_json(self) -> Json:
        """The custom JSON of the deployment alone."""
        return self.deployment.custom_json if self.deployment else {}

    @property
    def shown(self) -> tuple[LayerInstance, ...]:
        """The instances that recipes see: the online ones, and the one they run on."""
        online = (i for i in self.instances if i.state is InstanceState.ONLINE)
        return tuple(sorted({i.id: i for i in (*online, self.target)}.values(), key=_by_name))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the instance that the command is for, in the stack's own order."""
        return self.stack.layers_of(self.target.layers)

    def address(self, instance: LayerInstance) -> Address:
        """Where an instance is."""
        known = instance.address or self.addresses.get(instance.ec2_id or "")
        return known or Address(private_ip=instance.private_ip)


def _by_name(instance: LayerInstance) -> tuple[int, str]:
    return len(instance.hostname), instance.hostname


def merged(documents: Iterable[Json]) -> Json:
    """Mappings into each other, deeply: what comes later wins; lists and scalars are replaced."""
    return reduce(_over, documents, {})


def _over(below: Json, above: Json) -> Json:
    both = {
        key: _over(below[key], value)
        if isinstance(value, dict) and isinstance(below.get(key), dict)
        else value
        for key, value in above.items()
    }
    return below | both


def custom_json(snapshot: Snapshot) -> Json:
    """OpsWorks's precedence: deployment over layer over stack ("Using custom JSON"). Of several
    layers the later one in the stack's order wins. InvalidBlueprint above 120 KB."""
    layers = (layer.custom_json for layer in snapshot.layers)
    found = merged((snapshot.stack.custom_json, *layers, snapshot.custom_json))
    if len(json.dumps(found)) > MOST_JSON:
        raise InvalidBlueprint(
            f"custom_json of stack {snapshot.stack.name}, its layers and the deployment is larger "
            f"than {MOST_JSON // 1024} KB together"
        )
    return found


def attributes(snapshot: Snapshot) -> Json:
    """The attributes as Chef 11 recipes read them, custom JSON over everything."""
    run_list = [
        recipe if isinstance(recipe, str) else recipe.file
        for layer in snapshot.layers
        for recipe in layer.recipes.of(snapshot.event)
        if layer.runner in ("chef", "ansible")
    ]
    own = {
        "opsworks": {
            "activity": snapshot.event.value,
            "sent_at": int(snapshot.sent_at.timestamp()),
            "deployment": _deployment(snapshot),
            "stack": {
                "id": snapshot.stack.name,
                "name": snapshot.stack.name,
                "vpc_id": None,
                "elb-load-balancers": _balancers(snapshot),
                "rds_instances": [],
            },
            "instance": _self(snapshot),
            "layers": {layer.name: _layer(layer, snapshot) for layer in snapshot.stack.layers},
            "applications": [],
            "valid_client_activities": [event.value for event in LifecycleEvent],
        },
        "opsworks_custom_cookbooks": {"enabled": bool(run_list), "recipes": run_list},
        "recipes": run_list,
        "ssh_users": {},
        "deploy": {},
    }
    return merged((own, custom_json(snapshot)))


_DEPLOYMENTS = frozenset({LifecycleEvent.DEPLOY, LifecycleEvent.UNDEPLOY})


def _deployment(snapshot: Snapshot) -> str | None:
    if snapshot.deployment:
        return snapshot.deployment.id
    return snapshot.command if snapshot.event in _DEPLOYMENTS else None


def _balancers(snapshot: Snapshot) -> list[Json]:
    return [
        {"name": group.rpartition("targetgroup/")[2], "layer_id": layer.name}
        for layer in snapshot.stack.layers
        for group in layer.target_groups
    ]


def _layer(layer: Layer, snapshot: Snapshot) -> Json:
    members = (
        i for i in snapshot.shown if layer.name in i.layers and i.state is InstanceState.ONLINE
    )
    return {
        "id": layer.name,
        "name": layer.name,
        "instances": {i.hostname: _instance(i, snapshot) for i in members},
    }


def _instance(instance: LayerInstance, snapshot: Snapshot) -> Json:
    at = snapshot.address(instance)
    return {
        "status": instance.state.value,
        "ip": at.public_ip or None,
        "private_ip": at.private_ip or None,
        "private_dns_name": at.private_dns or None,
        "public_dns_name": at.public_dns or None,
        "aws_instance_id": instance.ec2_id,
        "availability_zone": at.zone or None,
        "region": snapshot.region,
        "instance_type": instance.instance_type or None,
        "elastic_ip": None,
        "booted_at": instance.booted_at or None,
        "created_at": instance.created_at or None,
        "backends": 8,
    }


def _self(snapshot: Snapshot) -> Json:
    target = snapshot.target
    found = _instance(target, snapshot)
    kept = (
        *("ip", "private_ip", "private_dns_name", "public_dns_name", "aws_instance_id"),
        *("availability_zone", "region", "instance_type", "backends"),
    )
    return {
        "id": target.id,
        "hostname": target.hostname,
        "layers": list(target.layers),
        "architecture": target.architecture or None,
        **{key: found[key] for key in kept},
    }
