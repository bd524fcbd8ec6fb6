"""Applications of a layer: Deploy places them as a bake does, before its recipes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from kiln.domain.documents import for_step
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.recipes import Payload, calls_for, how_many
from kiln.domain.stack import Layer
from kiln.domain.step import Step

SETUP, DEPLOY = LifecycleEvent.SETUP, LifecycleEvent.DEPLOY
SOURCE = {"type": "git", "repository": "https://example.org/shop.git", "revision": "v1"}
APPS = [{"source": SOURCE, "path": "/srv/one"}, {"source": SOURCE, "path": "/srv/two"}]
CHEF = {"runner": "chef", "source": {"type": "S3", "path": "https://s3.amazonaws.com/shop/c.zip"}}
ANSIBLE = {"runner": "ansible", "source": {"type": "GitHub", "owner": "o", "repository": "r"}}


def a_layer(**keys: Any) -> Layer:
    whole: dict[str, Any] = {
        "name": "web",
        "kind": "instances",
        "platform": "ubuntu-22.04",
        "instance_type": "m7i.large",
        "apps": APPS,
    }
    return Layer.model_validate(whole | keys)


@pytest.mark.parametrize(("keys", "after"), [({}, 1), (CHEF, 2), (ANSIBLE, 3)])
def test_a_deploy_places_the_applications_before_the_recipes(
    keys: dict[str, Any], after: int
) -> None:
    names = ["a.yml", "b.yml"] if keys is ANSIBLE else ["a", "b"]
    layer = a_layer(recipes={"deploy": names}, **keys)
    calls = calls_for(layer, DEPLOY, Payload({"attributes.json": "{}"}))
    assert [call.name for call in calls[:2]] == ["place-app", "place-app"]
    paths = [base64.b64decode(call.parameters["Path"][0]).decode() for call in calls[:2]]
    assert paths == ["/srv/one", "/srv/two"]
    assert len(calls) == how_many(layer, DEPLOY) == 2 + after


def test_without_recipes_a_deploy_places_the_applications_alone() -> None:
    assert len(calls_for(a_layer(), DEPLOY, Payload({}))) == how_many(a_layer(), DEPLOY) == 2


def test_a_bake_and_a_deploy_place_an_application_by_the_same_command() -> None:
    baked = for_step(Step.model_validate({"name": "shop", "app": APPS[0]}))
    assert calls_for(a_layer(), DEPLOY, Payload({}))[0] == baked


def test_no_other_event_places_an_application() -> None:
    others = [event for event in LifecycleEvent if event is not DEPLOY]
    assert [calls_for(a_layer(), event, Payload({})) for event in others] == [()] * len(others)
    assert [how_many(a_layer(), event) for event in others] == [0] * len(others)
