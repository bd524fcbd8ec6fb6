"""The service models of the layer: cut down to what functions call, and still whole for that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.models import TARGET, models
from tools.step_calls import every_operation

CLIENTS = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}
OPERATIONS = sorted(every_operation() - {"sns:SigningCert"})


def test_the_models_are_those_of_the_pinned_botocore() -> None:
    there = {str(file.relative_to(TARGET)): file.read_text() for file in TARGET.rglob("*.json")}
    assert there == models()


def test_each_operation_of_each_adapter_can_be_called_with_them(tmp_path: Path) -> None:
    """As a function would: by clients of the cut-down models alone."""
    wanted = [(CLIENTS.get(s, s), _method(name)) for s, name in (o.split(":") for o in OPERATIONS)]
    program = f"""
from botocore.session import get_session
session, made = get_session(), {{}}
for service, method in {wanted!r}:
    if service not in made:
        made[service] = session.create_client(service, region_name="eu-west-1")
    assert hasattr(made[service], method), (service, method)
    assert "DescribeVpcs" not in made[service].meta.service_model.operation_names
"""
    environment = os.environ | {"AWS_DATA_PATH": str(TARGET)}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""


@pytest.mark.parametrize("path", sorted(models()))
def test_a_cut_model_is_a_fraction_of_the_whole(path: str) -> None:
    assert '"documentation":"' not in (TARGET / path).read_text()


def _method(operation: str) -> str:
    """botocore.xform_name: ListObjectsV2 is list_objects_v2."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
