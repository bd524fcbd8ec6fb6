"""Channels in the files that a user writes: of layers, of bases, of pointers."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.channel import CHANNELS, before
from kiln.domain.stack import takers
from kiln.errors import InvalidBlueprint
from tests.builders import a_document, a_stack

LAYER = {
    "name": "web",
    "kind": "instances",
    "platform": "amazon-linux-2023",
    "instance_type": "m7i.large",
}


def test_channels_follow_each_other() -> None:
    assert [before(channel) for channel in CHANNELS] == [None, "dev", "staging"]


def test_a_layer_takes_a_channel_by_its_stack_or_by_the_blueprint() -> None:
    targets = [{"layer": "shop/web", "channel": "dev"}, {"layer": "shop/api", "channel": "prod"}]
    blueprint = blueprint_from(a_document(layers=targets))
    feeds = [{"blueprint": "web", "channel": "staging"}]
    stack = a_stack(layers=[LAYER | {"blueprints": feeds}])
    found = takers("web", blueprint.layers, [stack])
    channels = {layer: feed.channel for layer, feed in found.items()}
    # Where both name the other, the stack counts.
    assert channels == {"shop/web": "staging", "shop/api": "prod"}


def test_without_a_channel_a_layer_takes_each_image() -> None:
    stack = a_stack(layers=[LAYER | {"blueprints": [{"blueprint": "web"}]}])
    assert takers("web", (), [stack])["shop/web"].channel is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"base": {"blueprint": "b", "channel": "live"}},
            "base.channel: 'live' is not allowed",
        ),
        (
            {"base": {"image": "ami-00000000", "channel": "prod"}},
            "base: channel goes with blueprint",
        ),
        (
            {"layers": [{"layer": "a/b", "channel": "live"}]},
            "layers.0.channel: 'live' is not allow",
        ),
        (
            {"distribute": {"channel_parameters": {"dev": "/images/web"}}},
            "channel_parameters.dev: an image enters dev as it is announced, and `parameter` names",
        ),
        (
            {"distribute": {"channel_parameters": {"prod": "/aws/images"}}},
            "'/aws/images' is reserved by AWS",
        ),
        (
            {"distribute": {"channel_parameters": {"prod": "/i/web"}, "parameter": "/i/web"}},
            "channel_parameters.prod: '/i/web' is written for something else too",
        ),
        (
            {"distribute": {"channel_parameters": {"prod": "/i/web", "staging": "/i/web"}}},
            "channel_parameters.staging: '/i/web' is written for something else too",
        ),
        ({"distribute": {"channel_parameters": {"live": "/i/web"}}}, "'live' is not allowed"),
    ],
)
def test_what_no_channel_could_do_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        blueprint_from(a_document(**change))
