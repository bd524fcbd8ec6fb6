"""The world of a function: made in parts, of what the environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiln.ports import World
from kiln.wiring import Environment, make_world

ROOT = Path(__file__).parents[2]
TOLD = {"KILN_TABLE": "t", "KILN_BUCKET": "b", "KILN_BUS": "bus", "KILN_DOCUMENT_PREFIX": "kiln"}


class Counted:
    """A session that counts the clients that are made of it."""

    region_name = "eu-west-1"

    def __init__(self) -> None:
        self.made: list[str] = []

    def client(self, service: str, **options: Any) -> object:
        self.made.append(service)
        return object()

    def get_partition_for_region(self, region_name: str) -> str:
        return "aws"


def test_every_port_can_be_had_and_stays_the_same() -> None:
    world = make_world(Environment.read(TOLD), Counted())
    for port in fields(World):
        assert getattr(world, port.name) is getattr(world, port.name)


def test_no_client_is_made_before_a_port_needs_it_and_none_twice() -> None:
    session = Counted()
    world = make_world(Environment.read(TOLD), session)
    assert world.settings.region == "eu-west-1"
    assert session.made == []
    assert world.fleet
    assert world.images
    assert world.records
    assert world.turns
    assert session.made == ["ec2", "dynamodb"]


def test_what_is_printed_or_compared_makes_nothing() -> None:
    session = Counted()
    world = make_world(Environment.read(TOLD), session)
    assert world != make_world(Environment.read(TOLD), session)
    assert "AwsWorld" in repr(world)
    assert session.made == []


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(ValidationError, match="table"):
        Environment.read({name: value for name, value in TOLD.items() if name != "KILN_TABLE"})


def test_no_function_loads_boto3_an_adapter_or_the_libraries_of_one_to_start() -> None:
    """pyOpenSSL, which botocore would take cryptography with, is not in the layer."""
    steps = sorted(folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir())
    program = (
        "import sys, importlib; sys.modules['OpenSSL'] = None; import kiln.runtime;"
        f"[importlib.import_module('kiln.steps.' + name) for name in {steps!r}];"
        "late = ('boto3', 'kiln.adapters', 'cyclonedx', 'packageurl', 'cryptography');"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(late)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / "layers/kiln")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.strip() == ""
