"""What EC2's API does to instances: launched, started, stopped, rebooted, terminated, or refused.

Codes: EC2 API, "Error codes for the Amazon EC2 API" (IncorrectInstanceState, IncorrectState,
IdempotentParameterMismatch, OperationNotPermitted).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from moto.ec2.exceptions import (
    EC2ClientError,
    OperationDisableApiStopNotPermitted,
    OperationNotPermitted4,
)
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse

from kiln_local.bundles import check_stop
from kiln_local.ec2 import Ec2
from kiln_local.launch_checks import check_launch
from kiln_local.patches import Patches
from kiln_local.volumes import mapped

_GONE = ("shutting-down", "terminated")
# Whether the stop that is being asked for is to be forced, which moto does not pass on.
_forced: ContextVar[bool] = ContextVar("forced", default=False)
# Whether the launch being answered is a former one, asked for again with its token.
_repeated: ContextVar[bool] = ContextVar("repeated", default=False)


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's instances."""
    run = InstanceBackend.run_instances

    def run_instances(
        self: Any,
        image_id: str,
        count: int,
        user_data: Any,
        security_group_names: Any,
        **kwargs: Any,
    ) -> Any:
        with ec2.lock:
            token = kwargs.get("client_token")
            asked = repr((image_id, count, {k: v for k, v in kwargs.items() if k != "nics"}))
            if token and token != "ABCDE" and token in ec2.tokens:
                former = _again(ec2.tokens[token], asked)
                _repeated.set(True)
                return former
            check_launch(self, image_id, kwargs["instance_type"], kwargs.get("subnet_id"))
            if found := mapped(ec2, image_id, kwargs.get("block_device_mappings")):
                kwargs["block_device_mappings"] = found
                ec2.mappings = {m["DeviceName"]: m.get("Ebs", {}) for m in found}
            reservation = run(self, image_id, count, user_data, security_group_names, **kwargs)
            if token and token != "ABCDE":
                ec2.tokens[token] = (reservation, asked)
        for instance in reservation.instances:
            ec2.born(instance)
        return reservation

    _mend_repeats(patches)
    patches.set(InstanceResponse, "stop_instances", _with_force(InstanceResponse.stop_instances))
    patches.set(InstanceBackend, "run_instances", run_instances)
    patches.set(InstanceBackend, "start_instances", _each(ec2, _start, "started"))
    patches.set(InstanceBackend, "stop_instances", _each(ec2, _stop, "stopped"))
    patches.set(InstanceBackend, "reboot_instances", _reboot(ec2))
    patches.set(InstanceBackend, "terminate_instances", _each(ec2, _terminate, ""))
    patches.set(InstanceBackend, "modify_instance_attribute", _modify())


def _mend_repeats(patches: Patches) -> None:
    """moto gives an instance its profile after each launch, a repeated one too, and then finds that
    it has it."""
    associate = IamInstanceProfileAssociationBackend.associate_iam_instance_profile

    def associate_iam_instance_profile(
        self: Any, instance_id: str, *names: Any, **named: Any
    ) -> Any:
        if _repeated.get():
            _repeated.set(False)
            return self.iam_instance_profile_associations.get(instance_id)
        return associate(self, instance_id, *names, **named)

    patches.set(
        IamInstanceProfileAssociationBackend,
        "associate_iam_instance_profile",
        associate_iam_instance_profile,
    )


def _with_force(stop_instances: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def stop(self: Any) -> Any:
        token = _forced.set(str(self._get_param("Force", False)).lower() == "true")
        try:
            return stop_instances(self)
        finally:
            _forced.reset(token)

    return stop


def _again(former: tuple[Any, Any], asked: str) -> Any:
    reservation, asked_before = former
    if asked != asked_before:
        raise EC2ClientError(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).",
        )
    return reservation


def _each(ec2: Ec2, action: Callable[[Ec2, Instance], None], done: str) -> Any:
    """A call for many instances: refused for all if one of them is gone and may not be."""

    def change(self: Any, instance_ids: list[str]) -> list[tuple[Instance, Any]]:
        found = self.get_multi_instances_by_id(instance_ids)
        for instance in found:
            if done and instance._state.name in _GONE:
                raise _incorrect(instance, done)
        changed = []
        for instance in found:
            former = type(instance._state)(instance._state.name, instance._state.code)
            action(ec2, instance)
            changed.append((instance, former))
        return changed

    return change


def _modify() -> Any:
    modify = InstanceBackend.modify_instance_attribute

    def modify_instance_attribute(self: Any, instance_id: str, key: str, value: Any) -> Instance:
        instance = self.get_instance(instance_id)
        if key == "instance_type" and instance._state.name != "stopped":
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in the 'stopped' state.",
            )
        changed: Instance = modify(self, instance_id, key, value)
        return changed

    return modify_instance_attribute


def _incorrect(instance: Instance, done: str) -> EC2ClientError:
    return EC2ClientError(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {done}.",
    )


def _stop(ec2: Ec2, instance: Instance) -> None:
    if instance.disable_api_stop:
        raise OperationDisableApiStopNotPermitted(instance.id)
    check_stop(instance.id, instance.ec2_backend.amis.get(instance.image_id))
    ec2.stop(instance, _forced.get())


def _start(ec2: Ec2, instance: Instance) -> None:
    if instance._state.name == "stopping":
        raise _incorrect(instance, "started")
    if instance._state.name == "stopped":
        ec2.wake(instance)


def _terminate(ec2: Ec2, instance: Instance) -> None:
    if instance.disable_api_termination:
        raise OperationNotPermitted4(instance.id)
    # moto shows an instance before its volumes are attached: its launch comes to an end first.
    with ec2.lock:
        ec2.kill(instance)


def _reboot(ec2: Ec2) -> Any:
    def reboot_instances(self: Any, instance_ids: list[str]) -> list[Instance]:
        found: list[Instance] = self.get_multi_instances_by_id(instance_ids)
        for instance in found:
            if instance._state.name not in ("running", "pending"):
                raise EC2ClientError(
                    "IncorrectState",
                    f"Cannot reboot instance {instance.id} that is currently in "
                    f"{instance._state.name} state.",
                )
        for instance in found:
            if instance._state.name == "running":
                ec2.clock.crew.start(partial(ec2.reboot, instance))
        return found

    return reboot_instances
