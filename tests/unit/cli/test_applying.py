"""Apply shows what it will change, writes down what a stack plans, and refuses whole."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.blueprint import blueprint_from
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import LayerImage
from kiln.domain.stack import stack_from
from kiln.errors import AwsBusy, InvalidRequest
from kiln_cli.applying import Applied, apply_file, carry_out, plan_file, plan_files
from kiln_cli.baking import Pace
from kiln_cli.changing import follow
from kiln_cli.difference import differences
from kiln_cli.files import BlueprintFile, StackFile
from tests.builders import a_document, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player

S = InstanceState
WEB = {
    "name": "web",
    "kind": "instances",
    "platform": "amazon-linux-2023",
    "instance_type": "m7i.large",
}
PATH = Path("stacks/shop.yaml")


def a_file(*instances: dict[str, Any], **stack: Any) -> StackFile:
    """The stack shop with two layers, the first with these instances."""
    layers = [WEB | {"instances": list(instances)}, WEB | {"name": "db"}]
    document = {"kind": "stack", "name": "shop", "layers": layers} | stack
    return StackFile(PATH, stack_from(document))


def lines(applied: Applied) -> list[str]:
    return [row.line for row in applied.difference]


def records(fake: FakeWorld) -> dict[str, LayerInstance]:
    return {entry.hostname: entry for entry in fake.records.instances("shop")}


def become(fake: FakeWorld, hostname: str, state: InstanceState, **more: Any) -> LayerInstance:
    entry = records(fake)[hostname]
    written = fake.records.replace_instance(entry.model_copy(update={"state": state} | more))
    assert written is not None
    return written


# ------------------------------------------------------------ planned instances


def test_planned_instances_are_written_down_stopped_and_nothing_is_launched() -> None:
    fake = FakeWorld()
    fake.images.add(an_image(id="ami-1", architecture="arm64", root_device_type="instance-store"))
    fake.records.add_layer_image(
        LayerImage(layer="shop/web", image="ami-1", created="", rollout="r", at="2026")
    )
    file = a_file(
        {"hostname": "web1"},
        {"hostname": "night", "scaling": "time", "hours": {"monday": [2]}, "also_in": ["db"]},
    )
    applied = apply_file(file, fake.world)
    assert applied.change == "new"
    web1, night = records(fake)["web1"], records(fake)["night"]
    assert (web1.state, web1.layers, web1.planned) == (S.STOPPED, ("web",), "web1")
    assert (web1.image, web1.architecture, web1.root_device) == (
        *("ami-1", "arm64", "instance-store"),
    )
    assert (night.layers, night.scaling, night.hours) == (("web", "db"), "time", {"monday": (2,)})
    assert fake.fleet.orders == []
    assert fake.machines.started == {}


def test_applied_twice_it_changes_nothing() -> None:
    fake = FakeWorld()
    file = a_file({"hostname": "web1", "instance_type": "m7i.xlarge"}, {"hostname": "web2"})
    apply_file(file, fake.world)
    before = records(fake)
    again = apply_file(file, fake.world)
    assert (again.change, again.difference, again.executions) == ("unchanged", (), {})
    assert records(fake) == before


def test_scaling_and_hours_change_while_an_instance_serves() -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web1"}), fake.world)
    become(fake, "web1", S.ONLINE)
    timed = {"hostname": "web1", "scaling": "time", "hours": {"friday": [1, 2]}}
    applied = apply_file(a_file(timed), fake.world)
    assert records(fake)["web1"].hours == {"friday": (1, 2)}
    assert 'layers.web.instances.web1.scaling: "always" -> "time"' in lines(applied)
    assert 'layers.web.instances.web1.hours: {} -> {"friday": [1, 2]}' in lines(applied)
    assert apply_file(a_file(timed), fake.world).change == "unchanged"


@pytest.mark.parametrize(
    ("change", "key"),
    [({"also_in": ["db"]}, "also_in"), ({"instance_type": "m7i.xlarge"}, "instance_type")],
)
def test_membership_and_type_change_only_while_stopped(change: dict[str, Any], key: str) -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web1"}), fake.world)
    become(fake, "web1", S.ONLINE)
    file = a_file({"hostname": "web1"} | change, custom_json={"new": 1})
    with pytest.raises(InvalidRequest) as refused:
        apply_file(file, fake.world)
    assert str(refused.value).startswith(f"{PATH}: layers.web.instances.web1.{key}: web1 is online")
    assert "`kiln layers stop web1`, then apply again" in str(refused.value)
    # Nothing at all was written.
    assert fake.records.stack("shop") == a_file({"hostname": "web1"}).stack
    become(fake, "web1", S.STOPPED)
    apply_file(file, fake.world)
    assert apply_file(file, fake.world).change == "unchanged"


def test_one_that_left_the_file_is_removed_while_stopped_alone() -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web1"}, {"hostname": "web2"}), fake.world)
    become(fake, "web2", S.SETUP_FAILED)
    with pytest.raises(InvalidRequest, match=r"web2: is left out, and web2 is setup_failed; `kiln"):
        apply_file(a_file({"hostname": "web1"}), fake.world)
    become(fake, "web2", S.STOPPED)
    applied = apply_file(a_file({"hostname": "web1"}), fake.world)
    assert set(records(fake)) == {"web1"}
    assert applied.executions == {}
    assert any(line.startswith("layers.web.instances.web2: removed") for line in lines(applied))
    assert [e.detail()["status"] for e in fake.bus.events] == ["terminating", "terminated"]


def test_one_that_ec2_knows_is_deleted_there_too() -> None:
    fake = FakeWorld()
    player = Player(fake)
    apply_file(a_file({"hostname": "web1"}), fake.world)
    web1 = become(fake, "web1", S.STOPPED, image="ami-0000000000000ba5e")
    for verb in ("start", "stop"):
        assert player.change(web1, verb) == ""
    ec2_id = records(fake)["web1"].ec2_id or ""
    plan = plan_file(a_file(), fake.world)
    applied = carry_out(plan, fake.world)
    assert plan.records is not None
    pace = Pace(lambda _: player.run(), lambda: repeat(1.0))
    (outcome,) = follow(plan.records.removed, applied.executions, fake.world, pace)
    assert outcome.state == "terminated"
    assert records(fake) == {}
    assert fake.fleet.instances[ec2_id].state == "terminated"


def test_one_that_a_rollout_put_in_its_place_is_still_the_planned_one() -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web1"}), fake.world)
    old = records(fake)["web1"]
    fake.records.remove_instance(old)
    fake.records.add_instance(old.model_copy(update={"id": "new", "hostname": "web3"}))
    file = a_file({"hostname": "web1", "scaling": "time", "hours": {"monday": [1]}})
    apply_file(file, fake.world)
    assert set(records(fake)) == {"web3"}
    assert records(fake)["web3"].hours == {"monday": (1,)}


def test_one_of_that_hostname_that_was_added_by_hand_becomes_the_planned_one() -> None:
    fake = FakeWorld()
    apply_file(a_file(), fake.world)
    by_hand = LayerInstance(id="x", stack="shop", layers=("web",), hostname="web1", state=S.ONLINE)
    fake.records.add_instance(by_hand)
    applied = apply_file(a_file({"hostname": "web1"}), fake.world)
    assert records(fake)["web1"].planned == "web1"
    assert 'layers.web.instances.web1.planned: null -> "web1"' in lines(applied)


def test_a_layer_that_still_has_instances_cannot_go_nor_become_another_kind() -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web2"}, {"hostname": "web1", "also_in": ["db"]}), fake.world)
    with pytest.raises(InvalidRequest, match=r"layers.db: is left out and still has instances: w"):
        apply_file(a_file({"hostname": "web1"}, layers=[WEB]), fake.world)
    with pytest.raises(InvalidRequest, match=r"layers.web: is left out .*: web1, web2; stop and"):
        apply_file(a_file(layers=[WEB | {"name": "db"}]), fake.world)
    group = {"name": "web", "kind": "autoscaling", "group": "g"}
    with pytest.raises(InvalidRequest, match=r"layers.web.kind: cannot become autoscaling while"):
        apply_file(a_file(layers=[group, WEB | {"name": "db"}]), fake.world)


def test_layers_of_two_platforms_share_no_planned_instance() -> None:
    layers = [
        WEB | {"instances": [{"hostname": "web1", "also_in": ["old"]}]},
        WEB | {"name": "old", "platform": "ubuntu-18.04"},
    ]
    with pytest.raises(InvalidRequest, match=r"web1.also_in: web has platform amazon-linux-2023"):
        apply_file(a_file(layers=layers), FakeWorld().world)


def test_a_record_that_changed_meanwhile_is_not_written_over() -> None:
    fake = FakeWorld()
    apply_file(a_file({"hostname": "web1"}), fake.world)
    timed = {"hostname": "web1", "scaling": "time", "hours": {"monday": [1]}}
    plan = plan_file(a_file(timed), fake.world)
    become(fake, "web1", S.ONLINE)
    with pytest.raises(AwsBusy, match="the record of web1 changed just now"):
        carry_out(plan, fake.world)


# ------------------------------------------------------------ the difference


def test_the_difference_names_each_key_with_what_was_and_what_will_be() -> None:
    fake = FakeWorld()
    apply_file(a_file(custom_json={"a": 1}), fake.world)
    recipes = {"setup": ["echo one", "echo two"]}
    layers = [WEB | {"count": 3, "recipes": recipes}, WEB | {"name": "api"}]
    applied = apply_file(a_file(custom_json={"a": 2, "b": {"c": []}}, layers=layers), fake.world)
    assert applied.change == "changed"
    assert lines(applied)[:2] == ["custom_json.a: 1 -> 2", "custom_json.b: added {}"]
    assert "layers.web.count: 0 -> 3" in lines(applied)
    assert 'layers.web.recipes.setup: [] -> ["echo one", "echo two"]' in lines(applied)
    assert any(line.startswith('layers.api: added {"kind": "instances"') for line in lines(applied))
    assert any(line.startswith("layers.db: removed") for line in lines(applied))


def test_a_blueprint_is_compared_step_by_step() -> None:
    fake = FakeWorld()

    def file(**changes: Any) -> BlueprintFile:
        document = a_document(**changes)
        return BlueprintFile(Path("web.yaml"), document, blueprint_from(document))

    first = apply_file(file(), fake.world)
    assert (first.change, first.version, first.difference) == ("new", 1, ())
    again = apply_file(file(), fake.world)
    assert (again.change, again.version) == ("unchanged", 1)
    steps = [{"name": "first", "shell": "true"}, {"name": "tune", "shell": "echo finer"}]
    changed = apply_file(file(steps=steps, description="x"), fake.world)
    assert (changed.change, changed.version) == ("changed", 2)
    assert set(lines(changed)) == {
        'description: added "x"',
        'steps.first: added {"shell": "true"}',
        'steps.tune.shell: "echo tuned" -> "echo finer"',
    }
    stored = fake.versions.get("web")
    assert stored is not None
    assert (stored.number, stored.document) == (2, file(steps=steps, description="x").document)


def test_all_files_are_planned_before_the_first_is_stored() -> None:
    fake = FakeWorld()
    with pytest.raises(InvalidRequest, match=r"stack shop is in stacks/shop.yaml too; name one"):
        plan_files([a_file(), a_file(custom_json={"a": 1})], fake.world)
    assert fake.records.stacks() == ()


def test_things_with_names_are_compared_by_name_and_their_order_is_told() -> None:
    old = {"layers": [{"name": "a", "n": 1}, {"name": "b"}]}
    new = {"layers": [{"name": "b"}, {"name": "a", "n": 2}]}
    assert [row.line for row in differences(old, new)] == [
        "layers.a.n: 1 -> 2",
        'layers: ["a", "b"] -> ["b", "a"]',
    ]
    # Names that are missing or double are no names.
    double = {"layers": [{"name": "a"}, {"name": "a"}]}
    assert [row.path for row in differences(old, double)] == ["layers"]
    long = next(differences({"k": "x" * 500}, {"k": 1})).line
    assert len(long) < 140
    assert next(differences({"a": 1}, {"a": True})).line == "a: 1 -> true"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "layers", "steps", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_VALUES, _VALUES)
def test_there_is_a_difference_exactly_where_documents_differ(old: Any, new: Any) -> None:
    found = list(differences(old, new))
    assert bool(found) == (repr(old) != repr(new) and not _alike(old, new))
    assert list(differences(new, new)) == []


def _alike(old: Any, new: Any) -> bool:
    """The same value; the order of a mapping's keys means nothing, 1 is not true."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_alike(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_alike, old, new))
    return type(old) is type(new) and bool(old == new)
