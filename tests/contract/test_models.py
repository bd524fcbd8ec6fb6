"""The service models of the layer: cut down to what functions call, and still whole for that."""

from __future__ import annotations

import os
import subprocess
import sys

from botocore.loaders import Loader

from tools.models import TARGET, called, models


def test_the_models_are_those_of_the_pinned_botocore() -> None:
    there = {str(file.relative_to(TARGET)): file.read_text() for file in TARGET.rglob("*.json")}
    assert there == models()


def test_each_operation_of_each_adapter_can_be_called_with_them() -> None:
    """As a function would: by clients of the cut-down models, which have no other operation."""
    program = f"""
from botocore import xform_name
from kiln.wiring.session import CoreSession
for service, operations in {called()!r}.items():
    client = CoreSession({str(TARGET)!r}).client(service, region_name="eu-west-1")
    assert set(client.meta.service_model.operation_names) == operations, service
    for name in operations:
        client.meta.service_model.operation_model(name).input_shape
        assert hasattr(client, xform_name(name)), (service, name)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(TARGET.parents[1] / "kiln")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""


def test_they_leave_prose_and_most_of_ec2_out() -> None:
    files = {file: file.read_text() for file in TARGET.rglob("service-2.json")}
    assert not [file for file, text in files.items() if '"documentation":"' in text]
    (ec2,) = (text for file, text in files.items() if "ec2" in file.parts)
    assert len(ec2) < len(str(Loader().load_service_model("ec2", "service-2"))) / 10
