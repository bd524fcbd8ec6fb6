"""Bases that change: exactly what stands on them is baked, and once."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import ExecutionFacts
from kiln.steps.follow_bases import BasesFollowed
from tests.builders import a_document, a_plan, a_record, a_version, an_entry, an_image
from tests.fakes import FakeWorld
from tests.notices import NOTICES, event
from tests.unit.steps.following import (
    AL2023,
    NEW,
    OLD,
    UBUNTU,
    WINDOWS,
    a_world,
    blueprint,
    followed,
    made,
    names,
    three,
)

# ------------------------------------------------------------ what is affected


@pytest.mark.parametrize("notice", NOTICES)
def test_a_notice_bakes_what_stands_on_a_base_that_has_changed_whatever_it_says(
    notice: str,
) -> None:
    fake = a_world(al2023=NEW)
    three(fake)
    assert names(followed(fake, notice)) == ["api", "web"]
    assert list(fake.machines.started.values()) == [
        {"blueprint": name, "trigger": "base"} for name in ("api", "web")
    ]


@pytest.mark.parametrize("notice", NOTICES)
def test_a_notice_that_comes_before_its_release_bakes_nothing_and_the_check_does_later(
    notice: str,
) -> None:
    fake = a_world()
    three(fake)
    assert followed(fake, notice) == BasesFollowed()
    fake.clock.move(6 * 3600)
    fake.parameters.values[AL2023] = NEW
    assert names(followed(fake)) == ["api", "web"]


def test_a_lookup_is_followed_by_its_newest_image() -> None:
    fake = a_world()
    for day in (1, 2):
        image = an_image(id=f"ami-0000000{day}", name=f"ubuntu-noble-{day}", created=f"2026-0{day}")
        fake.images.add(image, "099720109477")
    blueprint(fake, "shop", {"lookup": UBUNTU})
    blueprint(fake, "other", {"lookup": UBUNTU})
    made(fake, "shop", "ami-00000001")
    made(fake, "other", "ami-00000002")
    assert names(followed(fake)) == ["shop"]


def test_blueprints_without_an_image_or_without_the_wish_and_fixed_bases_are_left_alone() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "never-baked", {"parameter": AL2023})
    blueprint(fake, "stays", {"parameter": AL2023}, rebuild={"on_base_change": False})
    blueprint(fake, "fixed", {"image": NEW})
    for name in ("stays", "fixed"):
        made(fake, name, OLD)
    assert followed(fake) == BasesFollowed()


def test_a_base_that_cannot_be_told_is_named_and_keeps_no_other_blueprint() -> None:
    fake = a_world(al2023=NEW, windows="not an image")
    three(fake)
    blueprint(fake, "gone", {"parameter": "/ours/gone"})
    blueprint(fake, "lost", {"lookup": UBUNTU})
    for name in ("gone", "lost"):
        made(fake, name, OLD)
    ancient = {"kind": "blueprint", "name": "ancient", "flavour": 1}
    fake.versions.add(a_version(blueprint="ancient", document=ancient))
    result = followed(fake)
    assert names(result) == ["api", "web"]
    assert [left.partition(":")[0] for left in result.left] == ["ancient", "gone", "lost", "win"]
    assert "/ours/gone does not exist" in result.left[1]
    assert "is no image's id" in result.left[3]


def test_a_refusal_of_one_lookup_keeps_no_other_blueprint_and_a_busy_service_ends_the_look() -> (
    None
):
    fake = a_world(al2023=NEW)
    three(fake)
    blueprint(fake, "bad", {"lookup": UBUNTU})
    made(fake, "bad", OLD)
    images = fake.images

    def refused(*_: Any, **__: Any) -> None:
        raise AwsRefused("ec2", "DescribeImages", "InvalidUserID.Malformed", "no such owner")

    def busy(*_: Any, **__: Any) -> None:
        raise AwsBusy("ec2:DescribeImages is busy")

    images.newest = refused  # type: ignore[method-assign, assignment]
    result = followed(fake)
    assert names(result) == ["api", "web"]
    assert "InvalidUserID.Malformed" in result.left[0]
    images.newest = busy  # type: ignore[method-assign, assignment]
    with pytest.raises(AwsBusy):
        followed(fake)


# ------------------------------------------------------------ once


def test_a_notice_that_comes_twice_starts_each_bake_once() -> None:
    fake = a_world(al2023=NEW)
    three(fake)
    assert len(followed(fake, "doubled").started) == 2
    for notice in (*NOTICES, "doubled"):
        assert followed(fake, notice).started == ()
    assert followed(fake).started == ()
    assert len(fake.machines.started) == 2


def test_of_two_who_look_at_the_same_time_one_starts_the_bake() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD)
    inner: list[BasesFollowed] = []

    def the_other() -> None:
        fake.follows.before_put = lambda: None
        inner.append(followed(fake, "amazon_linux"))

    fake.follows.before_put = the_other
    outer = followed(fake, "amazon_linux")
    assert (len(inner[0].started), outer.started) == (1, ())
    assert list(fake.machines.started) == list(inner[0].started)


def test_a_crash_between_the_record_and_the_start_is_made_good_under_the_same_name() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD)
    start = fake.machines.start

    def crashed(*_: Any) -> bool:
        raise AwsBusy("states:StartExecution did not get through")

    fake.machines.start = crashed  # type: ignore[method-assign]
    with pytest.raises(AwsBusy):
        followed(fake, "amazon_linux")
    (written,) = fake.follows.known.values()
    fake.machines.start = start  # type: ignore[method-assign]
    fake.clock.move(60)
    assert followed(fake, "amazon_linux").started == (written.bake,)


def test_a_bake_that_somebody_runs_at_that_base_is_enough() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD)
    plan = a_plan(a_document(name="web"), base=an_image(id=NEW))
    fake.records.add_bake(a_record(plan))
    fake.machines.started[plan.bake] = {}
    assert followed(fake) == BasesFollowed()
    # It was stopped from the console, and left its record as it was.
    fake.machines.over.add(plan.bake)
    fake.machines.ended[plan.bake] = ExecutionFacts("ABORTED")
    assert names(followed(fake)) == ["web"]


def test_a_bake_that_the_console_named_is_given_its_time() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD)
    fake.records.add_bake(a_record(a_plan(a_document(name="web"), base=an_image(id=NEW))))
    assert followed(fake) == BasesFollowed()
    fake.clock.move(4 * 3600)
    assert names(followed(fake)) == ["web"]


# ------------------------------------------------------------ cascade


def available(name: str) -> dict[str, Any]:
    """The event that a blueprint has a new image."""
    told = event("image_available")
    return told | {"detail": told["detail"] | {"blueprint": name}}


def test_a_new_image_bakes_what_has_that_blueprint_for_its_base_and_nothing_else() -> None:
    fake = a_world(windows=NEW)
    blueprint(fake, "base-linux", {"parameter": AL2023})
    for name in ("web", "api"):
        blueprint(fake, name, {"blueprint": "base-linux"})
    blueprint(fake, "shop", {"blueprint": "web"})
    blueprint(fake, "win", {"parameter": WINDOWS})
    old = made(fake, "base-linux", OLD, 1)
    web = made(fake, "web", old)
    for name, base in (("api", old), ("shop", web), ("win", OLD)):
        made(fake, name, base)
    assert followed(fake, available("base-linux")).started == ()
    made(fake, "base-linux", NEW, 2)
    fake.parameters.values[AL2023] = NEW
    assert names(followed(fake, available("base-linux"))) == ["api", "web"]
    assert followed(fake, available("base-linux")).started == ()
    # The check finds what an event that was lost would have told.
    assert names(followed(fake)) == ["win"]


def test_a_base_in_a_channel_is_followed_as_it_is_promoted_and_not_as_it_is_made() -> None:
    fake = a_world()
    blueprint(fake, "base-linux", {"parameter": AL2023})
    blueprint(fake, "web", {"blueprint": "base-linux", "channel": "prod"})
    first = made(fake, "base-linux", OLD, 1)
    in_prod(fake, first, 1)
    made(fake, "web", first)
    second = made(fake, "base-linux", OLD, 2)
    assert followed(fake, available("base-linux")).started == ()
    in_prod(fake, second, 2)
    assert names(followed(fake, event("image_promoted"))) == ["web"]


def in_prod(fake: FakeWorld, image: str, number: int) -> None:
    entry = an_entry(number, blueprint="base-linux", image=image)
    assert fake.channels.add(entry)


def test_blueprints_that_are_each_others_base_are_left_with_the_reason() -> None:
    """Two applies at once can store a half of a circle each."""
    fake = a_world()
    for name, base in (("one", "two"), ("two", "one"), ("three", "one")):
        blueprint(fake, name, {"blueprint": base})
        made(fake, name, OLD)
    result = followed(fake)
    assert names(result) == ["three"]
    assert result.left[0].endswith("each is the base of the one before it: one -> two -> one")
    assert followed(fake, available("one")).started == ()
