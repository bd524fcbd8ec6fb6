"""Rollouts by hand: which image, which attempt, whether at all; approvals; the way back."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import ImageRecord
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.errors import InvalidRequest
from kiln.steps.add_to_layers import add_to_layers
from kiln_cli import rolling
from kiln_cli.finding import Found, find_layer
from kiln_cli.rolling import Wish
from kiln_cli.taking import image_of
from tests.builders import NOW, a_version, an_image
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import a_player
from tests.unit.steps.test_layers import an_event

OLD, NEW = "ami-00000000000000old", "ami-00000000000000new"


def a_layer(**layer: Any) -> Player:
    """shop/web, two images of blueprint web, and one that Kiln has not made."""
    player = a_player(**layer)
    for n, name in enumerate((OLD, NEW), 1):
        created = f"2026-0{n}-01T00:00:00.000Z"
        player.fake.images.add(an_image(id=name, name=name, created=created))
        player.fake.records.put_image(
            ImageRecord(
                id=name,
                name=name,
                bake=f"web-20260{n}01-000000-aaaa",
                blueprint="web",
                version=1,
                platform="amazon-linux-2023",
                architecture="x86_64",
                root_device="ebs",
                base="ami-0000000000000ba5e",
                region="eu-west-1",
                created=NOW,
            )
        )
    player.fake.versions.add(a_version())
    return player


def web(player: Player) -> Found:
    return find_layer("shop/web", player.fake.world)


def took(player: Player, image: str, at: str) -> None:
    """The layer has taken an image."""
    facts = player.fake.images.describe(image)
    assert facts is not None
    player.fake.records.add_layer_image(
        LayerImage(layer="shop/web", image=image, created=facts.created, rollout=at, at=at)
    )


def plan(player: Player, image: str = NEW, **wish: Any) -> Rollout:
    return rolling.plan(image, web(player), Wish("ada", **wish), player.fake.world)


def ended(player: Player, rollout: Rollout, status: RolloutStatus = RolloutStatus.FAILED) -> None:
    player.fake.records.update_rollout(rollout.model_copy(update={"status": status}))
    player.fake.machines.over.add(rollout.id)


def test_an_image_is_named_by_its_id_or_as_the_newest_of_a_blueprint() -> None:
    player = a_layer()
    assert image_of("ami-1", web(player), player.fake.world) == "ami-1"
    assert image_of("web", web(player), player.fake.world) == NEW
    with pytest.raises(InvalidRequest, match="nope is no image id and no blueprint with images; k"):
        image_of("nope", web(player), player.fake.world)


def test_a_rollout_goes_as_the_stack_file_says_unless_it_is_said_otherwise() -> None:
    feed = {"blueprint": "web", "strategy": "canary", "batch": "50%", "bake_time": "1h"}
    player = a_layer(blueprints=[feed])
    found = plan(player)
    assert (found.strategy, found.options.batch, found.options.bake_time) == ("canary", "50%", "1h")
    assert (found.attempt, found.by, found.forced, found.platform) == (
        *(1, "ada", False, "amazon-linux-2023"),
    )
    found = plan(player, strategy="add", options={"batch": 3, "instances": 2})
    assert (found.strategy, found.options.batch, found.options.instances) == ("add", 3, 2)
    assert found.options.bake_time == "1h"
    quiet = a_layer(blueprints=[feed | {"strategy": "none"}])
    assert plan(quiet).strategy == "replace"
    assert plan(a_layer()).strategy == "replace"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (
            {"options": {"batch": "lots"}},
            "batch: 'lots' is neither a number of instances nor a per",
        ),
        ({"options": {"bake_time": "soon"}}, "bake_time: 'soon' is not a duration"),
        ({"options": {"batch": 0}}, "batch: must be at least one instance"),
    ],
)
def test_options_that_mean_nothing_are_refused(wish: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        plan(a_layer(), **wish)


def test_an_image_that_is_not_there_or_of_another_platform_is_refused() -> None:
    player = a_layer()
    with pytest.raises(InvalidRequest, match="image ami-9 does not exist in this Region"):
        plan(player, "ami-9")
    player.fake.images.add(an_image(id="ami-8", name="p", state="pending"))
    with pytest.raises(InvalidRequest, match="image ami-8 is pending"):
        plan(player, "ami-8")
    record = player.fake.records.image(NEW)
    assert record is not None
    player.fake.records.put_image(record.model_copy(update={"platform": "debian-12"}))
    with pytest.raises(InvalidRequest, match=r"is debian-12, shop/web is amazon-linux-2023"):
        plan(player)
    # What Kiln has not made is taken for the layer's own platform.
    assert plan(player, "ami-0000000000000ba5e").platform == "amazon-linux-2023"


def test_an_older_image_wants_force_and_the_same_one_does_not() -> None:
    player = a_layer()
    took(player, NEW, "2026-01")
    with pytest.raises(
        InvalidRequest, match=f"shop/web runs {NEW}, which is newer than {OLD}; --f"
    ):
        plan(player, OLD)
    assert plan(player, OLD, forced=True).forced
    assert plan(player, NEW).image == NEW


def test_each_attempt_is_an_execution_and_a_record_of_its_own() -> None:
    player = a_layer()
    world = player.fake.world
    first = plan(player)
    rolling.start(first, world)
    with pytest.raises(InvalidRequest, match="is under way; `kiln rollout status shop/web`"):
        plan(player)
    ended(player, first)
    second = plan(player)
    assert (second.attempt, second.id) == (2, f"{first.id}-2")
    rolling.start(second, world)
    kept = [(r.id, r.status) for r in world.records.rollouts_of("shop/web")]
    assert kept == [(first.id, RolloutStatus.FAILED), (second.id, RolloutStatus.RUNNING)]
    assert player.fake.machines.started[second.id] == {"image": NEW, "layer": "shop/web"}
    with pytest.raises(InvalidRequest, match="was begun by somebody else just now"):
        rolling.start(second, world)


def test_a_rollout_that_was_stopped_is_put_right_before_it_is_tried_again() -> None:
    player = a_layer()
    first = plan(player)
    rolling.start(first, player.fake.world)
    player.fake.machines.over.add(first.id)
    with pytest.raises(InvalidRequest, match="is under way"):
        plan(player)
    ended(player, first, RolloutStatus.FAILED)
    assert plan(player).attempt == 2


def test_an_image_announced_again_starts_nothing_beside_an_attempt_by_hand() -> None:
    player = a_layer()
    event = an_event(("shop/web", "replace"))
    image = next(iter(event.detail.images.values()))
    player.fake.images.add(an_image(id=image, name="announced", created="2027"))
    assert len(add_to_layers(event, player.fake.world).started) == 1
    first = player.fake.records.rollout(image, "shop/web")
    assert first is not None
    ended(player, first, RolloutStatus.SUCCEEDED)
    second = plan(player, image)
    rolling.start(second, player.fake.world)
    before = set(player.fake.machines.started)
    for _ in range(3):
        assert add_to_layers(event, player.fake.world).started == ()
    assert set(player.fake.machines.started) == before


def test_an_image_that_is_announced_late_finds_the_attempt_by_hand() -> None:
    player = a_layer()
    event = an_event(("shop/web", "replace"))
    image = next(iter(event.detail.images.values()))
    player.fake.images.add(an_image(id=image, name="announced", created="2027"))
    by_hand = plan(player, image, strategy="canary")
    rolling.start(by_hand, player.fake.world)
    add_to_layers(event, player.fake.world)
    assert list(player.fake.machines.started) == [by_hand.id]
    assert player.fake.records.rollout(image, "shop/web") == by_hand


# ------------------------------------------------------------ back


def test_the_way_back_is_the_last_image_that_is_not_the_current_one() -> None:
    player = a_layer()
    found = web(player)
    with pytest.raises(
        InvalidRequest, match="shop/web has taken no image yet; there is none to go"
    ):
        rolling.image_before(found, player.fake.world)
    took(player, OLD, "2026-01")
    with pytest.raises(InvalidRequest, match=f"has run {OLD} alone"):
        rolling.image_before(found, player.fake.world)
    took(player, NEW, "2026-02")
    assert rolling.image_before(found, player.fake.world) == OLD
    took(player, NEW, "2026-03")
    assert rolling.image_before(found, player.fake.world) == OLD
    took(player, OLD, "2026-04")
    assert rolling.image_before(found, player.fake.world) == NEW


def test_nothing_goes_back_while_a_rollout_is_under_way() -> None:
    player = a_layer()
    rolling.check_free(web(player), player.fake.world)
    first = plan(player)
    rolling.start(first, player.fake.world)
    with pytest.raises(InvalidRequest, match="goes back by itself if it fails; wait for its end"):
        rolling.check_free(web(player), player.fake.world)
