"""What starts a bake: the console, a schedule and a changed base give the same input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiln.steps.plan_bake import PlanBake, plan_bake
from tests.builders import NOW, a_document, a_version
from tests.fakes import FakeWorld

EVENTS = Path(__file__).parents[3] / "events"


@pytest.mark.parametrize("name", ["bake", "bake_schedule", "bake_base"])
def test_a_bake_is_planned_from_the_name_of_a_stored_blueprint(name: str) -> None:
    fake = FakeWorld()
    fake.versions.add(a_version(blueprint="al2023-web", document=a_document(name="al2023-web")))
    given = json.loads((EVENTS / f"{name}.json").read_text())
    # Neither gives its execution a name: the console and the scheduler make up one.
    order = PlanBake(request=given, execution="5f0c8a9e-4e43-4e4f-9a39-1f2b3c4d5e6f", started=NOW)
    planned = plan_bake(order, fake.world)
    assert planned.bake.startswith("al2023-web-20261123-101500-")
