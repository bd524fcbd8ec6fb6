"""Every function that somebody outside can call, with an event that is wrong somewhere: an error of
Kiln's or an answer, never a fault."""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiln.errors import InvalidRequest, KilnError
from kiln.runtime import step
from tests.builders import a_document, a_stack, an_image_record, keep_version
from tests.fakes import FakeWorld
from tests.hostile.strategies import hostile, mutated
from tests.sampling import sampled
from tests.steps import request_of

EVENTS = Path(__file__).parents[2] / "events"
TOPIC = "arn:aws:sns:us-east-1:137112412989:amazon-linux-2-ami-updates"
# Rules, topics and schedules call these, or a user with a role for it; a state machine the others.
OUTSIDE = (
    *("add_to_layers", "follow_bases", "follow_group", "plan_bake", "plan_distribution"),
    *("promote_image", "prune_images", "sweep", "teardown", "tend_instances", "wake"),
)
EXAMPLES = sorted(
    path
    for path in EVENTS.glob("*.json")
    if any(path.stem == name or path.stem.startswith(f"{name}_") for name in OUTSIDE)
)


@dataclass
class Context:
    """What Lambda hands over, as far as it is read."""

    function_name: str = "kiln-hostile"
    aws_request_id: str = "request-1"


def a_world() -> FakeWorld:
    """A stack, a blueprint and an image, so that an event has something to be about."""
    fake = FakeWorld(release_topics=(TOPIC,))
    fake.records.put_stack(a_stack())
    keep_version(a_document(), fake.world)
    fake.records.put_image(an_image_record())
    return fake


def answer(name: str, event: Any) -> Any:
    """What the function does with an event: its answer, or the error of Kiln's."""
    call = getattr(importlib.import_module(f"kiln.steps.{name}"), name)
    model = request_of(call)
    fake = a_world()
    try:
        return step(model)(lambda request: call(request, fake.world))(event, Context())
    except KilnError as error:
        return error


@pytest.mark.parametrize("path", sampled(EXAMPLES, every=5), ids=lambda path: path.stem)
@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_event_that_is_wrong_somewhere_is_refused_or_answered(
    path: Path, data: st.DataObject
) -> None:
    name = next(one for one in OUTSIDE if path.stem.startswith(one))
    told = str(answer(name, data.draw(mutated(json.loads(path.read_text())))))
    assert told
    assert "Traceback" not in told


@pytest.mark.parametrize("name", sampled(OUTSIDE, every=6))
@settings(suppress_health_check=list(HealthCheck))
@given(event=hostile)
def test_what_is_no_event_at_all_is_refused_or_answered(name: str, event: Any) -> None:
    answer(name, event)


@pytest.mark.parametrize("grace", [10**30, 2**63, -1, 1e400, "P1D"])
def test_no_grace_is_longer_than_time_itself(grace: Any) -> None:
    assert isinstance(answer("sweep", {"grace_s": grace}), InvalidRequest)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_version_or_number_beyond_all_measure_is_refused_or_answered(name: str) -> None:
    huge = 10**60
    event = {"version": huge, "number": huge, "detail-type": "x", "detail": {"promotion": huge}}
    answer(name, event)
    answer(name, {"request": {"blueprint": "web", "version": huge}, "execution": "x", "bake": "b"})


def test_the_time_of_an_event_must_be_one() -> None:
    event = json.loads((EVENTS / "follow_group.json").read_text())
    for at in ("", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", 10**400, None):
        assert isinstance(answer("follow_group", event | {"time": at}), InvalidRequest)


def test_a_lifecycle_action_without_its_hook_is_refused() -> None:
    event = json.loads((EVENTS / "follow_group.json").read_text())
    del event["detail"]["LifecycleHookName"]
    found = answer("follow_group", event)
    assert isinstance(found, InvalidRequest)
    assert "one is without the other" in str(found)


# A synchronous invocation brings 6 MB at most (Lambda Developer Guide, "Lambda quotas").
LARGE = {
    "a text": "a" * 6_000_000,
    "numbers": [0] * 2_000_000,
    "objects": [{}] * 1_000_000,
    "keys": {f"k{n}": n for n in range(300_000)},
    "astral": "\U0001f525" * 1_400_000,
}


@pytest.mark.parametrize("what", LARGE)
def test_as_much_as_an_event_can_hold_is_refused_or_answered_in_time(
    what: str,
) -> None:
    begun = time.process_time()
    for name, key in (("wake", "detail"), ("follow_bases", "Records"), ("plan_bake", "request")):
        whole = json.loads((EVENTS / f"{name}.json").read_text())
        told = str(answer(name, whole | {key: LARGE[what]}))
        assert len(told) < 2_000
    inner = {"detail-type": "x", "detail": {"instance-id": LARGE[what], "x": LARGE[what]}}
    answer("wake", inner)
    answer("follow_bases", {"Records": [{"Sns": {"Message": LARGE[what]}}]})
    # Five events; of each at most two seconds of a processor are allowed.
    assert time.process_time() - begun < 10
