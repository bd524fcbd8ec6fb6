"""Parameter Store: the check of data type aws:ec2:image, and AWS's own parameters.

Systems Manager User Guide, "Native parameter support for Amazon Machine Image IDs": the call
answers at once; the value is checked afterwards, and is not stored where the account cannot see
the image.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from kiln_local.ec2 import Ec2
from kiln_local.patches import Patches

IMAGE = "aws:ec2:image"


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's PutParameter. It enters a name before its first version: whoever reads then
    waits."""
    lock = threading.RLock()
    for name in ("put_parameter", "get_parameter"):
        patches.alone(SimpleSystemManagerBackend, name, lock)
    put = SimpleSystemManagerBackend.put_parameter

    def put_parameter(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        known = name in self._parameters and self._parameters[name]
        data_type = args[7] if len(args) > 7 else kwargs.get("data_type", "text")
        value = args[1] if len(args) > 1 else kwargs["value"]
        if data_type == IMAGE and not _visible(self, value):
            version = known[-1].version + 1 if known else 1
            return _image_parameter(self, name, value, version, ec2)
        result = put(self, name, *args, **kwargs)
        here = ec2.backend
        if (self.account_id, self.region_name) == (here.account_id, here.region_name):
            ec2.events.parameter_changed(name, "Update" if known else "Create", data_type)
        return result

    patches.set(SimpleSystemManagerBackend, "put_parameter", put_parameter)
    _filter_data_types(patches)


def _filter_data_types(patches: Patches) -> None:
    """DescribeParameters by data type (Systems Manager API, ParameterStringFilter), which moto does
    not know. It tells of the account's own parameters alone."""
    describe = SimpleSystemManagerBackend.describe_parameters

    def describe_parameters(self: Any, filters: Any, parameter_filters: Any) -> list[Parameter]:
        given = parameter_filters or []
        rest = [found for found in given if found["Key"] != "DataType"]
        wanted = [kind for f in given if f["Key"] == "DataType" for kind in f["Values"]]
        every: list[Parameter] = describe(self, filters, rest)
        own = [parameter for parameter in every if not parameter.name.startswith("/aws/")]
        return [p for p in own if not wanted or p.data_type in wanted]

    patches.set(SimpleSystemManagerBackend, "describe_parameters", describe_parameters)


def _visible(backend: Any, image: str) -> bool:
    try:
        found = ec2_backends[backend.account_id][backend.region_name].describe_images([image])
    except EC2ClientError:
        return False
    return bool(found)


def _image_parameter(backend: Any, name: str, value: str, version: int, ec2: Ec2) -> Parameter:
    return Parameter(
        account_id=backend.account_id,
        name=name,
        value=value,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=ec2.clock.now(),
        version=version,
        data_type=IMAGE,
    )


def load_public(backend: Any, ec2: Ec2) -> None:
    """Public parameters: AWS's own, which PutParameter would refuse."""
    for name, value in ec2.public_parameters.items():
        put_public(backend, ec2, name, value)


def put_public(backend: Any, ec2: Ec2, name: str, value: str) -> None:
    """A public parameter's next version."""
    ec2.public_parameters[name] = value
    known = backend._parameters[name]
    known.append(_image_parameter(backend, name, value, len(known) + 1, ec2))
