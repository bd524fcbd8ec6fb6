"""Apply puts the hooks of a stack's Auto Scaling groups, and shows them before."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.stack import stack_from
from kiln.errors import InvalidRequest
from kiln_cli.applying import apply_file, plan_file
from kiln_cli.files import StackFile
from tests.fakes import FakeWorld
from tests.unit.cli.test_applying import PATH, a_file, lines, records


def of_group(**keys: Any) -> StackFile:
    """The stack shop with a layer that is an Auto Scaling group."""
    layer = {"name": "api", "kind": "autoscaling", "group": "shop-api"} | keys
    return StackFile(PATH, stack_from({"kind": "stack", "name": "shop", "layers": [layer]}))


def test_a_group_gets_its_hooks_when_its_stack_is_applied_and_is_shown_them_before() -> None:
    fake = FakeWorld()
    with pytest.raises(InvalidRequest, match=r"shop\.yaml: .*shop-api does not exist"):
        plan_file(of_group(), fake.world)
    fake.groups.a_group("shop-api", "lt-1")
    file = of_group(recipes={"setup": ["true"]})
    shown = lines(plan_file(file, fake.world).applied)
    assert any(line.startswith("groups.shop-api.hooks.kiln-launch: added") for line in shown)
    assert not fake.groups.kept_hooks
    assert apply_file(file, fake.world).change == "new"
    assert list(fake.groups.kept_hooks["shop-api"]) == ["kiln-launch", "kiln-terminate"]
    assert apply_file(file, fake.world).change == "unchanged"
    fake.groups.delete_hook("shop-api", "kiln-launch")
    assert plan_file(file, fake.world).applied.change == "changed"
    removed = lines(apply_file(of_group(), fake.world))
    assert any(line.startswith("groups.shop-api.hooks.kiln-terminate: removed") for line in removed)
    assert not fake.groups.kept_hooks["shop-api"]


def test_a_layer_whose_group_keeps_its_instances_may_be_left_out() -> None:
    fake = FakeWorld()
    fake.groups.a_group("shop-api", "lt-1")
    apply_file(of_group(), fake.world)
    fake.records.add_instance(
        LayerInstance(
            id="i", stack="shop", layers=("api",), hostname="api-1", state=InstanceState.ONLINE
        )
    )
    shown = lines(apply_file(a_file(), fake.world))
    assert any(line.startswith("groups.shop-api.instances.api-1: removed") for line in shown)
    assert records(fake) == {}
