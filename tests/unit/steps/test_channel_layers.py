"""Layers that take what is in a channel: one rollout for each entry of the channel, back too."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.errors import BaseImageNotFound
from kiln.steps.add_to_layers import ImageAvailableEvent, add_to_layers
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from kiln.steps.plan_rollout import PlanRollout, plan_rollout
from kiln_cli.finding import find_layer
from kiln_cli.members import Wanted, add
from tests.builders import a_document, a_stack, a_version
from tests.fakes import FakeWorld
from tests.unit.steps.promoting import ADA, HOME, a_world, announced, promoted, up
from tests.unit.steps.test_planning import planned

CHANNELS = ({"channel": "dev"}, {"channel": "staging"}, {"channel": "prod"})


def deliver(fake: FakeWorld, number: int = -1) -> tuple[str, ...]:
    """Deliver one of the events on the bus, by default the last; the rollouts that it starts."""
    event = fake.bus.events[number]
    sent = {"detail-type": event.detail_type, "region": HOME, "detail": event.detail()}
    return add_to_layers(ImageAvailableEvent.model_validate(sent), fake.world).started


def rollout(fake: FakeWorld, image: str, layer: str) -> Rollout:
    found = fake.records.rollout(image, f"shop/{layer}")
    assert found is not None
    return found


def taken(fake: FakeWorld, image: str, layer: str) -> None:
    """Let the last rollout of an image to a layer succeed."""
    last = rollout(fake, image, layer)
    facts = fake.images.images[image]
    at = f"{fake.clock.now().isoformat()}-{len(fake.records.layer_images(last.layer))}"
    fake.records.add_layer_image(
        LayerImage(layer=last.layer, image=image, created=facts.created, rollout=last.id, at=at)
    )
    fake.records.update_rollout(last.model_copy(update={"status": RolloutStatus.SUCCEEDED}))
    fake.machines.over.add(last.id)


def plan(fake: FakeWorld, image: str, layer: str = "one") -> str:
    since = fake.clock.now().isoformat()
    request = PlanRollout(image=image, layer=f"shop/{layer}", since=since)
    return plan_rollout(request, fake.world).path


def test_each_layer_hears_of_an_image_when_it_enters_the_layers_channel() -> None:
    fake = a_world(*CHANNELS)
    image = announced(fake, 1)
    assert deliver(fake, 0) == ()
    assert deliver(fake) == (f"{image}-shop-one",)
    promoted(fake, "web", "staging")
    assert deliver(fake) == (f"{image}-shop-two",)
    promoted(fake, "web", "prod")
    assert deliver(fake) == (f"{image}-shop-three",)
    assert rollout(fake, image, "three").by == ADA


def test_a_layer_without_a_channel_takes_each_image_as_it_is_announced_and_no_promotion() -> None:
    fake = a_world({})
    image = announced(fake, 1)
    assert deliver(fake, 0) == (f"{image}-shop-one",)
    assert deliver(fake) == ()
    promoted(fake, "web", "staging")
    assert deliver(fake) == ()


def test_a_blueprint_may_name_the_channel_of_a_layer_itself() -> None:
    targets = [{"layer": "shop/web", "strategy": "replace", "channel": "staging"}]
    fake = a_world(layers=targets)
    fake.records.put_stack(a_stack())
    image = announced(fake, 1)
    assert (deliver(fake, 0), deliver(fake, 1)) == ((), ())
    promoted(fake, "web", "staging")
    assert deliver(fake) == (f"{image}-shop-web",)


def test_a_layer_that_is_named_since_the_image_was_baked_hears_of_it_too() -> None:
    fake = a_world()
    fake.records.put_stack(a_stack())
    image = announced(fake, 1)
    targets = [{"layer": "shop/web", "strategy": "add", "channel": "staging"}]
    fake.versions.add(a_version(2, document=a_document(layers=targets)))
    promoted(fake, "web", "staging")
    assert deliver(fake) == (f"{image}-shop-web",)


def test_an_entry_that_is_told_of_again_and_again_starts_one_rollout() -> None:
    fake = a_world({"channel": "staging"})
    image = up(fake, 1, "staging")
    deliver(fake)
    for _ in range(3):
        deliver(fake)
    assert [name for name in fake.machines.started if "shop-one" in name] == [f"{image}-shop-one"]
    taken(fake, image, "one")
    assert deliver(fake) == ()
    assert rollout(fake, image, "one").attempt == 1


def test_going_back_rolls_out_again_without_approval_or_alarms() -> None:
    careful = {"strategy": "canary", "approval": "required", "alarms": ["web-errors"]}
    fake = a_world({"channel": "prod"} | careful)
    first = up(fake, 1)
    deliver(fake)
    there = rollout(fake, first, "one")
    assert (there.strategy, there.options.approval, there.forced) == ("canary", "required", True)
    taken(fake, first, "one")
    second = up(fake, 2)
    deliver(fake)
    taken(fake, second, "one")
    promoted(fake, first, "prod")
    assert deliver(fake) == (f"{first}-shop-one-2",)
    back = rollout(fake, first, "one")
    assert (back.attempt, back.strategy, back.channel, back.promotion) == (2, "replace", "prod", 3)
    assert (back.options.approval, back.options.alarms) == ("none", ())
    taken(fake, first, "one")
    assert deliver(fake) == ()
    # And forth again: an attempt of its own, as careful as the first time.
    promoted(fake, second, "prod")
    assert deliver(fake) == (f"{second}-shop-one-2",)
    assert rollout(fake, second, "one").strategy == "canary"


def test_an_event_that_comes_after_the_channel_has_gone_on_starts_nothing() -> None:
    fake = a_world({"channel": "staging"})
    up(fake, 1, "staging")
    late = len(fake.bus.events) - 1
    second = up(fake, 2, "staging")
    assert deliver(fake) == (f"{second}-shop-one",)
    assert deliver(fake, late) == ()


def test_a_rollout_that_waited_while_the_channel_went_on_is_left() -> None:
    fake = a_world({"channel": "staging"})
    first = up(fake, 1, "staging")
    deliver(fake)
    up(fake, 2, "staging")
    assert plan(fake, first) == "over"
    request = FinishRollout(image=first, layer="shop/one", skipped=True)
    finished = finish_rollout(request, fake.world)
    assert finished.status is RolloutStatus.SKIPPED
    assert finished.cause.startswith("staging of web has gone on to ami-")


def test_what_a_layer_runs_already_is_not_brought_again() -> None:
    """Once the rollout has the layer: until then, one that is under way may still change it."""
    fake = a_world({"channel": "staging"})
    first = announced(fake, 1)
    promoted(fake, first, "staging")
    deliver(fake)
    taken(fake, first, "one")
    up(fake, 2, "staging")
    promoted(fake, first, "staging")
    assert deliver(fake) == (f"{first}-shop-one-2",)
    assert plan(fake, first) == "over"
    request = FinishRollout(image=first, layer="shop/one", skipped=True)
    assert finish_rollout(request, fake.world).cause == f"shop/one runs {first} already"


def test_an_older_image_comes_to_a_layer_where_its_channel_goes_back_to_it() -> None:
    fake = a_world({"channel": "staging"})
    first, second = up(fake, 1, "staging"), announced(fake, 2)
    promoted(fake, second, "staging")
    deliver(fake)
    taken(fake, second, "one")
    promoted(fake, first, "staging")
    deliver(fake)
    assert plan(fake, first) == "go"


def test_a_new_instance_runs_what_its_layer_runs_and_not_what_is_newest() -> None:
    fake = a_world({"channel": "prod"})
    live = up(fake, 1)
    deliver(fake)
    taken(fake, live, "one")
    up(fake, 2, "staging")
    found = find_layer("shop/one", fake.world)
    (entry,) = add(found, Wanted(), fake.world)
    assert (entry.image, entry.state) == (live, InstanceState.STOPPED)


def test_what_is_stopped_runs_the_layers_image_at_its_next_start() -> None:
    fake = a_world({"channel": "prod"})
    live = up(fake, 1)
    deliver(fake)
    entry = LayerInstance(
        id="web1-0000000",
        stack="shop",
        layers=("one",),
        hostname="one1",
        state=InstanceState.STOPPED,
        image="ami-old",
        platform="amazon-linux-2023",
    )
    fake.records.add_instance(entry)
    finish_rollout(FinishRollout(image=live, layer="shop/one"), fake.world)
    written = fake.records.instance("shop", entry.id)
    assert written is not None
    assert written.image == live


# ------------------------------------------------------------ bases


def on_base(channel: str) -> dict[str, Any]:
    return a_document(name="shop", base={"blueprint": "web", "channel": channel})


def test_a_base_in_a_channel_is_what_is_in_it_and_not_what_is_newest() -> None:
    fake = a_world()
    live = up(fake, 1)
    announced(fake, 2)
    planned(fake, on_base("prod"), execution="shop-20261201-101500-9f3a")
    record = fake.records.bake("shop-20261201-101500-9f3a")
    assert record is not None
    assert record.plan.base.id == live


@pytest.mark.parametrize("channel", ["staging", "prod"])
def test_a_base_in_a_channel_that_is_empty_is_refused(channel: str) -> None:
    fake = a_world()
    announced(fake, 1)
    words = f"base.channel: nothing is in {channel} of web; `kiln promote web --to {channel}`"
    with pytest.raises(BaseImageNotFound, match=words):
        planned(fake, on_base(channel))


def test_a_base_that_has_gone_from_its_channel_is_named() -> None:
    fake = a_world()
    image = up(fake, 1)
    del fake.images.images[image]
    with pytest.raises(BaseImageNotFound, match=f"{image}, in prod of web, does not exist"):
        planned(fake, on_base("prod"))
