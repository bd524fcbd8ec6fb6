"""What layers do with an image that is announced: one rollout each, or nothing at all."""

from __future__ import annotations

from typing import Any

from kiln.domain.rollout import RolloutStatus, rollout_id
from kiln.steps.add_to_layers import ImageAvailableEvent, add_to_layers
from tests.builders import BAKE, a_record, a_stack
from tests.fakes import FakeWorld

IMAGE = "ami-0000000000000ba5e"


def a_world(**stack: Any) -> FakeWorld:
    """A world with a stack, in which a bake was planned."""
    fake = FakeWorld()
    fake.records.add_bake(a_record())
    fake.records.put_stack(a_stack(**stack))
    return fake


def an_event(*layers: tuple[str, str], region: str = "eu-west-1") -> ImageAvailableEvent:
    """`Image Available` as EventBridge delivers it."""
    detail = {
        "bake": BAKE,
        "blueprint": "web",
        "images": {"eu-west-1": IMAGE},
        "platform": "amazon-linux-2023",
        "architecture": "x86_64",
        "layers": [{"layer": layer, "strategy": strategy} for layer, strategy in layers],
    }
    event = {"detail-type": "Image Available", "region": region, "detail": detail}
    return ImageAvailableEvent.model_validate(event)


def test_an_image_starts_one_rollout_per_layer_however_often_it_is_announced() -> None:
    fake = a_world()
    event = an_event(("shop/web", "add"), ("shop/app", "none"))
    name = f"{IMAGE}-shop-web"
    assert add_to_layers(event, fake.world).started == (name,)
    for _ in range(4):
        add_to_layers(event, fake.world)
    assert fake.machines.started == {name: {"image": IMAGE, "layer": "shop/web"}}


def test_a_rollout_that_has_ended_is_not_started_again() -> None:
    fake = a_world()
    add_to_layers(an_event(("shop/web", "add")), fake.world)
    rollout = fake.records.rollout(IMAGE, "shop/web")
    assert rollout is not None
    fake.records.update_rollout(rollout.model_copy(update={"status": RolloutStatus.FAILED}))
    fake.machines.started.clear()
    assert add_to_layers(an_event(("shop/web", "add")), fake.world).started == ()


def test_an_image_of_another_region_is_passed_over() -> None:
    fake = a_world()
    event = an_event(("shop/web", "add"), region="us-east-1")
    assert add_to_layers(event, fake.world).started == ()


def test_a_layer_that_names_the_blueprint_takes_its_image_as_the_stack_says() -> None:
    web = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "blueprints": [{"blueprint": "web", "strategy": "canary", "bake_time": "1h"}],
    }
    fake = a_world(layers=[web, web | {"name": "old", "blueprints": []}])
    event = an_event(("shop/web", "add"), ("shop/old", "add"))
    assert len(add_to_layers(event, fake.world).started) == 2
    rollout = fake.records.rollout(IMAGE, "shop/web")
    assert rollout is not None
    assert (rollout.strategy, rollout.options.bake_time) == ("canary", "1h")
    quiet = web | {"blueprints": [{"blueprint": "web", "strategy": "none"}]}
    fake = a_world(layers=[quiet])
    assert add_to_layers(an_event(("shop/web", "add")), fake.world).started == ()


def test_names_of_rollouts_differ_where_their_layers_do() -> None:
    layers = ["a/b-c", "a-b/c", "a/b.c", "a/b_c", "shop/web", "shop/" + "x" * 48, "shop/y" * 9]
    names = {rollout_id(IMAGE, layer) for layer in layers}
    assert len(names) == len(layers)
    assert all(len(name) <= 80 for name in names)
    assert rollout_id(IMAGE, "shop/web", 2) == f"{IMAGE}-shop-web-2"
    assert len(rollout_id(IMAGE, "shop/" + "x" * 48, 12)) <= 80
