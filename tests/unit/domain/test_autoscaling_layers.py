"""What a stack file may say of a layer that is an Auto Scaling group."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.hooks import LAUNCHING, TERMINATING, Hook, hooks_of
from kiln.domain.stack import Layer, Stack, stack_from
from kiln.errors import InvalidBlueprint


def a_stack(*layers: dict[str, Any]) -> Stack:
    """A stack of layers of kind `autoscaling`."""
    common = {"kind": "autoscaling", "group": "g"}
    named = [{"name": f"l{n}"} | common | layer for n, layer in enumerate(layers)]
    return stack_from({"kind": "stack", "name": "shop", "layers": named})


def a_layer(**keys: Any) -> Layer:
    """A layer of such a stack, as it is after a way through the table."""
    stack = a_stack(keys)
    return Stack.model_validate_json(stack.model_dump_json()).layers[0]


REFUSED = {
    "target_groups: is only for kind instances": {
        "target_groups": [
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/0123456789abcdef"
        ]
    },
    "instance_type: is only for kind instances": {"instance_type": "m7i.large"},
    "shutdown_timeout: may be 6600 s at most": {"shutdown_timeout": "2h"},
    "strategy add is only for kind instances": {
        "blueprints": [{"blueprint": "web", "strategy": "add"}]
    },
    "surge is only for kind instances; refresh.max_healthy_percentage": {
        "blueprints": [{"blueprint": "web", "surge": 3}]
    },
    "batch is only for kind instances; refresh.min_healthy_percentage": {
        "blueprints": [{"blueprint": "web", "batch": "20%"}]
    },
    "health_within is only for kind instances": {
        "blueprints": [{"blueprint": "web", "health_within": "1h"}]
    },
    "bake_time goes with strategy canary": {
        "blueprints": [{"blueprint": "web", "bake_time": "1h"}]
    },
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_a_group_decides_itself_is_refused(said: str) -> None:
    with pytest.raises(InvalidBlueprint, match=said):
        a_layer(**REFUSED[said])


def test_a_group_is_of_one_layer() -> None:
    with pytest.raises(InvalidBlueprint, match="group 'g' is used twice"):
        a_stack({}, {})


@pytest.mark.parametrize(
    "feed",
    [
        {"strategy": "replace", "alarms": ["errors"], "approval": "required"},
        {"strategy": "canary", "bake_time": "30m"},
        {"strategy": "none"},
    ],
)
def test_what_a_group_can_do_is_taken(feed: dict[str, Any]) -> None:
    layer = a_layer(blueprints=[{"blueprint": "web"} | feed], shutdown_timeout="110m")
    assert layer.blueprints[0].strategy == feed["strategy"]


def test_a_layer_that_runs_something_needs_both_hooks() -> None:
    assert hooks_of(a_layer(), "kiln") == ()
    assert hooks_of(a_layer(recipes={"configure": ["true"]}), "kiln") == (
        Hook("kiln-launch", LAUNCHING, 7200, "ABANDON"),
        Hook("kiln-terminate", TERMINATING, 7200, "CONTINUE"),
    )
