"""What applying a stack does to the Auto Scaling groups of its layers, and what they lack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.stack import Stack
from kiln.errors import InvalidBlueprint
from kiln.steps._hooks import check_groups, missing_hooks, put_hooks
from tests.builders import a_stack
from tests.fakes import FakeWorld


def a_shop(recipes: dict[str, Any] | None = None, name: str = "shop", **api: Any) -> Stack:
    """A stack with a layer that is a group."""
    layer = {"name": "api", "kind": "autoscaling", "group": "g", "recipes": recipes or {}}
    return a_stack(name=name, layers=[layer | api])


SETUP = {"setup": ["true"]}


def put(stack: Stack, before: Stack | None, fake: FakeWorld) -> list[str]:
    """Put the hooks; what was done, in short."""
    done = put_hooks(stack, before, fake.world)
    return [
        *(f"{c.group}: tags" for c in done if c.tags),
        *(f"{c.group}: +{c.put.name}" for c in done if c.put),
        *(f"{c.group}: -{c.remove}" for c in done if c.remove),
        *(f"{c.group}: forgot {c.forget.hostname}" for c in done if c.forget),
    ]


def a_world() -> FakeWorld:
    """A world with the group."""
    fake = FakeWorld()
    fake.groups.a_group("g", "lt-1")
    return fake


def test_a_group_is_tagged_and_gets_its_hooks_once() -> None:
    fake, stack = a_world(), a_shop(SETUP)
    assert missing_hooks(stack.layers[0], fake.world) == ("kiln-launch", "kiln-terminate")
    assert put(stack, None, fake) == ["g: tags", "g: +kiln-launch", "g: +kiln-terminate"]
    tags = {"kiln:managed": "true", "kiln:stack": "shop", "kiln:layer": "shop/api"}
    assert fake.groups.groups["g"].tags == tags
    assert put(stack, stack, fake) == []
    assert missing_hooks(stack.layers[0], fake.world) == ()


def test_a_hook_that_somebody_changed_is_put_as_it_should_be() -> None:
    fake, stack = a_world(), a_shop(SETUP)
    put_hooks(stack, None, fake.world)
    kept = fake.groups.kept_hooks["g"]
    kept["kiln-launch"] = replace(kept["kiln-launch"], heartbeat_s=30)
    assert missing_hooks(stack.layers[0], fake.world) == ("kiln-launch",)
    assert put(stack, stack, fake) == ["g: +kiln-launch"]
    assert kept["kiln-launch"].heartbeat_s == 7200


def test_hooks_go_where_nothing_runs_any_more_and_others_stay() -> None:
    fake, stack = a_world(), a_shop(SETUP)
    put_hooks(stack, None, fake.world)
    own = fake.groups.kept_hooks["g"]
    fake.groups.put_hook("g", replace(own["kiln-launch"], name="mine"))
    without = a_shop()
    assert put(without, stack, fake) == ["g: -kiln-launch", "g: -kiln-terminate"]
    assert list(own) == ["mine"]


def test_hooks_go_with_the_layer() -> None:
    fake, stack = a_world(), a_shop(SETUP)
    put_hooks(stack, None, fake.world)
    fake.groups.a_group("h", "lt-1")
    elsewhere = a_shop(SETUP, group="h")
    done = put(elsewhere, stack, fake)
    assert "g: -kiln-launch" in done
    assert list(fake.groups.kept_hooks["h"]) == ["kiln-launch", "kiln-terminate"]
    del fake.groups.groups["g"]
    assert put(elsewhere, stack, fake) == []


def test_a_layer_that_gives_its_group_up_forgets_its_instances_and_others_learn_of_it() -> None:
    fake, stack = a_world(), a_shop(SETUP)
    put_hooks(stack, None, fake.world)
    entry = LayerInstance(
        id="i", stack="shop", layers=("api",), hostname="api-1", state=InstanceState.ONLINE
    )
    fake.records.add_instance(entry)
    fake.groups.a_group("h", "lt-1")
    elsewhere = a_shop(SETUP, group="h")
    assert "g: forgot api-1" in put(elsewhere, stack, fake)
    assert fake.records.instances("shop") == ()
    assert fake.rounds.asked("shop") == 1


def test_a_group_that_is_not_there_or_of_another_stack_is_refused() -> None:
    fake = a_world()
    check_groups(a_shop(), fake.world)
    with pytest.raises(InvalidBlueprint, match="Auto Scaling group nobody does not exist"):
        check_groups(a_shop(group="nobody"), fake.world)
    fake.records.put_stack(a_shop(name="bank"))
    with pytest.raises(InvalidBlueprint, match="is the group of layer bank/api"):
        check_groups(a_shop(), fake.world)
    check_groups(a_shop(name="bank"), fake.world)
