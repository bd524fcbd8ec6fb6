"""Every function that somebody outside can call, with an event that is wrong somewhere: an error of
Kiln's or an answer, never a fault."""

from __future__ import annotations

import importlib
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiln.errors import KilnError
from kiln.runtime import step
from tests.builders import a_document, a_stack, an_image_record, keep_version
from tests.fakes import FakeWorld
from tests.hostile.strategies import hostile, mutated

EVENTS = Path(__file__).parents[2] / "events"
# Rules, topics and schedules call these, or a user with a role for it; a state machine the others.
OUTSIDE = (
    *("add_to_layers", "follow_bases", "follow_group", "plan_bake", "plan_distribution"),
    *("promote_image", "prune_images", "sweep", "teardown", "tend_instances", "wake"),
)
EXAMPLES = [
    (name, path)
    for name in OUTSIDE
    for path in sorted(EVENTS.glob("*.json"))
    if path.stem == name or (path.stem.startswith(f"{name}_") and name in OUTSIDE)
]


@dataclass
class Context:
    """What Lambda hands over, as far as it is read."""

    function_name: str = "kiln-hostile"
    aws_request_id: str = "request-1"


def a_world() -> FakeWorld:
    """A stack, a blueprint and an image, so that an event has something to be about."""
    fake = FakeWorld(
        release_topics=("arn:aws:sns:us-east-1:137112412989:amazon-linux-2-ami-updates",)
    )
    fake.records.put_stack(a_stack())
    keep_version(a_document(), fake.world)
    fake.records.put_image(an_image_record())
    return fake


def answer(name: str, event: Any) -> Any:
    """What the function does with an event: its answer, or the error of Kiln's."""
    call = getattr(importlib.import_module(f"kiln.steps.{name}"), name)
    model = next(iter(typing.get_type_hints(call).values()))
    fake = a_world()
    try:
        return step(model)(lambda request: call(request, fake.world))(event, Context())
    except KilnError as error:
        assert str(error).strip()
        return error


@pytest.mark.parametrize(("name", "path"), EXAMPLES, ids=lambda part: getattr(part, "stem", part))
@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_event_that_is_wrong_somewhere_is_refused_or_answered(
    name: str, path: Path, data: st.DataObject
) -> None:
    answer(name, data.draw(mutated(json.loads(path.read_text()))))


@pytest.mark.parametrize("name", OUTSIDE)
@settings(suppress_health_check=list(HealthCheck))
@given(event=hostile)
def test_what_is_no_event_at_all_is_refused_or_answered(name: str, event: Any) -> None:
    answer(name, event)
