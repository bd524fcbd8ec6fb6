"""Images enter dev and go on to staging and prod, and back; nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.channel import Channel, ChannelImage
from kiln.domain.place import ImagePlace
from kiln.errors import AwsBusy, InvalidRequest
from tests.builders import an_image
from tests.fakes import FakeWorld
from tests.unit.steps.promoting import (
    ADA,
    FAR,
    HOME,
    a_world,
    abroad,
    announced,
    baked,
    current,
    promoted,
    up,
)


def moves(fake: FakeWorld) -> list[tuple[str, str]]:
    """Channel and image of each `Image Promoted`."""
    told = [event.detail() for event in fake.bus.events if event.detail_type == "Image Promoted"]
    return [(detail["channel"], detail["image"]) for detail in told]


# ------------------------------------------------------------ dev


def test_an_image_enters_dev_once_however_often_it_is_announced() -> None:
    fake = a_world()
    for _ in range(3):
        image = announced(fake, 1)
    (entry,) = fake.channels.history("web", "dev")
    assert (entry.image, entry.by, entry.source, entry.back) == (image, "", None, False)
    assert moves(fake) == [("dev", image)]


def test_an_older_bake_that_ends_later_does_not_replace_a_newer_image() -> None:
    fake = a_world()
    newer = announced(fake, 2)
    older = announced(fake, 1)
    assert current(fake, "dev") == newer
    assert moves(fake) == [("dev", newer)]
    with pytest.raises(InvalidRequest, match=f"{older} .* is not in dev of web and never was; "):
        promoted(fake, older, "staging")
    assert promoted(fake, older, "dev").changed
    assert promoted(fake, older, "staging").changed


def test_an_announcement_that_was_cut_short_before_the_bus_knew_is_finished() -> None:
    fake = a_world()
    image = baked(fake, 1)
    publish = fake.bus.publish

    def crash(event: Any) -> None:
        if event.detail_type == "Image Promoted":
            raise AwsBusy("throttled")
        publish(event)

    fake.bus.publish = crash  # type: ignore[method-assign]
    with pytest.raises(AwsBusy):
        announced(fake, 1)
    fake.bus.publish = publish  # type: ignore[method-assign]
    announced(fake, 1)
    assert moves(fake) == [("dev", image)]


def test_an_image_that_left_dev_does_not_come_back_with_its_next_distribution() -> None:
    fake = a_world()
    first, second = announced(fake, 1), announced(fake, 2)
    assert promoted(fake, first, "dev").back
    announced(fake, 2)
    assert current(fake, "dev") == first
    assert moves(fake) == [("dev", first), ("dev", second), ("dev", first)]


# ------------------------------------------------------------ on


def test_an_image_goes_on_from_channel_to_channel() -> None:
    fake = a_world()
    image = announced(fake, 1)
    staged = promoted(fake, "web", "staging")
    assert (staged.image, staged.source, staged.former) == (image, "dev", None)
    announced(fake, 2)
    # By its name what is in staging is meant, not what is newest.
    live = promoted(fake, "web", "prod")
    assert (live.image, live.source, live.number, live.changed) == (image, "staging", 1, True)
    (entry,) = fake.channels.history("web", "prod")
    assert (entry.by, entry.at, entry.version) == (ADA, fake.clock.now().isoformat(), 1)
    detail = fake.bus.events[-1].detail()
    assert detail["images"] == {HOME: image}
    assert (detail["channel"], detail["promotion"], detail["by"]) == ("prod", 1, ADA)


def test_the_same_again_changes_nothing() -> None:
    fake = a_world()
    image = up(fake, 1)
    told = moves(fake)
    again = promoted(fake, image, "prod")
    assert (again.changed, again.number) == (False, 1)
    assert moves(fake) == told


def test_a_dry_run_says_what_would_change_and_changes_nothing() -> None:
    fake = a_world({"channel": "staging"}, distribute={"channel_parameters": {"staging": "/x/y"}})
    image = announced(fake, 1)
    told = moves(fake)
    found = promoted(fake, "web", "staging", dry_run=True)
    assert (found.image, found.changed, found.dry_run) == (image, True, True)
    assert [(row.layer, row.changes) for row in found.layers] == [("shop/one", True)]
    assert (current(fake, "staging"), moves(fake)) == (None, told)
    assert fake.parameters.values == {}


@pytest.mark.parametrize("to", ["staging", "prod"])
def test_no_channel_is_passed_over(to: Channel) -> None:
    fake = a_world()
    image = announced(fake, 1) if to == "prod" else baked(fake, 1)
    before = "staging" if to == "prod" else "dev"
    words = f"{image} .web-1. is not in {before} of web and never was; `kiln promote {image} --to "
    with pytest.raises(InvalidRequest, match=words):
        promoted(fake, image, to)
    with pytest.raises(InvalidRequest, match=f"nothing is in {before} of web yet; "):
        promoted(fake, "web", to)
    assert current(fake, to) is None


def test_an_image_that_was_never_announced_does_not_enter_dev() -> None:
    fake = a_world()
    image = baked(fake, 1)
    with pytest.raises(InvalidRequest, match=f"{image} .* was never announced: its distribution"):
        promoted(fake, image, "dev")


def test_an_image_that_was_in_the_channel_before_may_still_go_on() -> None:
    fake = a_world()
    first = announced(fake, 1)
    announced(fake, 2)
    assert promoted(fake, first, "staging").changed


def test_a_channel_goes_back_to_an_image_that_it_had() -> None:
    fake = a_world()
    first, second = up(fake, 1), up(fake, 2)
    back = promoted(fake, first, "prod")
    assert (back.back, back.former, back.number) == (True, second, 3)
    assert fake.bus.events[-1].detail()["back"]
    assert [e.image for e in fake.channels.history("web", "prod")] == [first, second, first]
    forth = promoted(fake, second, "prod")
    assert (forth.back, forth.changed) == (False, True)


def test_the_channel_that_is_named_must_have_the_image() -> None:
    fake = a_world()
    first = announced(fake, 1)
    second = announced(fake, 2)
    with pytest.raises(InvalidRequest, match=f"{first} is not in dev of web, {second} is"):
        promoted(fake, first, "staging", source="dev")
    with pytest.raises(InvalidRequest, match=f"{first} is not in prod of web, nothing is"):
        promoted(fake, first, "staging", source="prod")
    # What is in prod has been in staging; back there it may always go.
    live = up(fake, 2)
    promoted(fake, announced(fake, 3), "staging")
    assert promoted(fake, "web", "staging", source="prod").image == live


def test_what_nobody_knows_is_refused_with_what_is_known() -> None:
    fake = a_world()
    announced(fake, 1)
    with pytest.raises(InvalidRequest, match=r"wbe is no image that Kiln has made .* known: web"):
        promoted(fake, "wbe", "staging")
    with pytest.raises(InvalidRequest, match="dev is the first channel: an image enters it by its"):
        promoted(fake, "web", "dev")
    with pytest.raises(InvalidRequest, match="nothing is in staging of web yet; `kiln promote web"):
        promoted(fake, "web", "prod")


# ------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("state", "words"), [("disabled", "is disabled"), (None, "does not exist")]
)
def test_an_image_that_is_gone_or_disabled_is_refused(state: str | None, words: str) -> None:
    fake = a_world()
    image = announced(fake, 1)
    del fake.images.images[image]
    if state:
        fake.images.add(an_image(id=image, state=state))
    with pytest.raises(InvalidRequest, match=f"{image} .web-1. {words}.* in eu-west-1; promote"):
        promoted(fake, image, "staging")
    assert current(fake, "staging") is None


def test_an_image_that_is_gone_in_another_region_is_refused() -> None:
    fake = a_world()
    image = announced(fake, 1)
    copy = abroad(fake, 1)
    images: Any = fake.regions.at(FAR).images
    del images.images[copy]
    with pytest.raises(InvalidRequest, match=f"{copy} .* does not exist any more.* in us-east-1"):
        promoted(fake, image, "staging")


@pytest.mark.parametrize("status", ["failed", "incomplete", "pending"])
def test_an_image_that_is_not_where_it_should_be_is_refused(status: Any) -> None:
    fake = a_world()
    image = announced(fake, 1)
    place = ImagePlace(region=FAR, status=status, error="ImageFailed", cause="internal error")
    fake.records.put_place(image, place)
    words = f"is {status} in us-east-1 .ImageFailed: internal error.; `kiln distribute {image}`"
    with pytest.raises(InvalidRequest, match=words):
        promoted(fake, image, "staging")


# ------------------------------------------------------------ two at once


def test_of_two_promotions_at_once_both_are_kept_and_the_last_one_counts() -> None:
    fake = a_world()
    first, second = up(fake, 1, "staging"), up(fake, 2, "staging")
    add = fake.channels.add

    def add_after_another(entry: ChannelImage) -> bool:
        fake.channels.add = add  # type: ignore[method-assign]
        promoted(fake, second, "prod")
        return add(entry)

    fake.channels.add = add_after_another  # type: ignore[method-assign]
    found = promoted(fake, first, "prod")
    assert [e.image for e in fake.channels.history("web", "prod")] == [second, first]
    assert (found.number, found.former) == (2, second)
    assert moves(fake)[-2:] == [("prod", second), ("prod", first)]


def test_a_request_that_is_made_again_does_not_win_over_who_came_after_it() -> None:
    fake = a_world()
    first, second = up(fake, 1, "staging"), up(fake, 2, "staging")
    promoted(fake, first, "prod", token="one")
    promoted(fake, second, "prod", token="other")
    again = promoted(fake, first, "prod", token="one")
    assert (again.number, again.changed, again.gone_for) == (1, False, second)
    assert current(fake, "prod") == second


def test_a_channel_that_changes_all_the_time_is_tried_again_later() -> None:
    fake = a_world()
    announced(fake, 1)
    tries: list[ChannelImage] = []

    def add(entry: ChannelImage) -> bool:
        tries.append(entry)
        return False

    fake.channels.add = add  # type: ignore[method-assign]
    with pytest.raises(AwsBusy, match="others promote images to this channel all the time"):
        promoted(fake, "web", "staging")
    assert len(tries) == 5
