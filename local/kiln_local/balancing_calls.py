"""The calls of Elastic Load Balancing that change or tell the health of targets."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response

from kiln_local.balancing import Balancing
from kiln_local.patches import Patches

# After each of them a group may have a listener that it did not have before, or the other way.
_LISTENING = (
    *("create_listener", "modify_listener", "delete_listener"),
    *("create_rule", "modify_rule", "delete_rule", "delete_load_balancer"),
)


def connect(patches: Patches, balancing: Balancing) -> None:
    """Patch moto's load balancers."""

    def describe_target_health(self: Any) -> ActionResult:
        arn, targets = self._get_param("TargetGroupArn"), self._get_param("Targets", [])
        return ActionResult({"TargetHealthDescriptions": balancing.health(arn, targets)})

    patches.set(
        ELBv2Backend, "register_targets", lambda _, arn, targets: balancing.register(arn, targets)
    )
    patches.set(
        ELBv2Backend,
        "deregister_targets",
        lambda _, arn, targets: balancing.deregister(arn, targets),
    )
    patches.set(ELBV2Response, "describe_target_health", describe_target_health)
    for name in _LISTENING:
        patches.set(ELBv2Backend, name, _then_look(getattr(ELBv2Backend, name), balancing))
    balancing.ec2.watchers.append(lambda *_: balancing.look())


def _then_look(original: Any, balancing: Balancing) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        finally:
            balancing.look()

    return call
