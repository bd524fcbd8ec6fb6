"""A distribution that is stopped: another execution clears what it left, and says so."""

from __future__ import annotations

from kiln.domain.failure import Failure
from kiln.ports import ExecutionFacts
from kiln.steps.announce_image import AnnounceImage, announce_image
from kiln.steps.plan_distribution import DistributionPlanned, PlanDistribution, plan_distribution
from kiln.steps.sweep import Sweep, sweep
from kiln.steps.take_over import TakeOver, take_over
from kiln.steps.undo_copy import UndoCopy, undo_copy
from tests.fakes import FakeWorld
from tests.unit.steps.distributing import (
    FAR,
    HOME,
    IMAGE,
    a_world,
    become,
    copied,
    done,
    first,
    status,
)

STOPPED = "the execution d was stopped from outside (ABORTED)"


def distributed(fake: FakeWorld, name: str = "d") -> DistributionPlanned:
    """Begin to distribute it again."""
    fake.machines.start("distribution", name, {"image": IMAGE, "regions": [FAR, HOME]})
    request = PlanDistribution(image=IMAGE, regions=(FAR, HOME), execution=name)
    return plan_distribution(request, fake.world)


def a_stopped_one() -> FakeWorld:
    """A bake that has recorded its image, and a distribution of it that is stopped."""
    fake = a_world()
    first(fake)
    for region in (HOME, FAR):
        (place,) = (p for p in fake.records.places(IMAGE) if p.region == region)
        fake.records.put_place(IMAGE, place.model_copy(update={"status": "failed"}))
    distributed(fake)
    fake.machines.over.add("d")
    fake.machines.ended["d"] = ExecutionFacts("ABORTED")
    return fake


def told(fake: FakeWorld, name: str = "d") -> str | None:
    return take_over(TakeOver(machine="distribution", execution=name), fake.world).started


def cleared(fake: FakeWorld) -> Failure | None:
    """What the execution does that was started: as its machine."""
    given = fake.machines.started["d_end"]
    planned = plan_distribution(PlanDistribution(**given, execution="d_end"), fake.world)
    assert planned.failure is not None
    for place in planned.places:
        undo = UndoCopy(image=IMAGE, region=place.region, failure=planned.failure)
        undo_copy(undo, fake.world)
    regions = tuple(place.region for place in planned.places)
    told = AnnounceImage(image=IMAGE, regions=regions, distribution=given["stopped"]["of"])
    return announce_image(told, fake.world).failure


def test_what_it_had_begun_is_cleared_and_said_and_a_good_copy_stays() -> None:
    for state, left in (("pending", "failed"), ("available", "incomplete")):
        fake = a_stopped_one()
        become(fake, copied(fake), state)
        done(fake, HOME, IMAGE)
        assert told(fake) == "d_end"
        failure = cleared(fake)
        assert failure is not None
        assert STOPPED in failure.cause
        assert f" is not ready in {FAR}:" in failure.cause
        assert status(fake) == {HOME: "available", FAR: left}
        assert fake.records.open_distributions() == ()


def test_what_another_distribution_works_on_is_left_to_that() -> None:
    fake = a_stopped_one()
    distributed(fake, "other")
    assert told(fake) == "d_end"
    assert cleared(fake) is None
    assert set(status(fake).values()) == {"pending"}
    assert fake.records.open_distributions() == ((IMAGE, "other"),)


def test_one_that_came_to_its_end_leaves_nothing_to_do() -> None:
    fake = a_stopped_one()
    announce_image(AnnounceImage(image=IMAGE, regions=(), distribution="d"), fake.world)
    fake.machines.ended["d"] = ExecutionFacts("FAILED", "DistributionFailed", "no room")
    assert told(fake) is None


def test_the_sweep_finds_it_where_nobody_was_told() -> None:
    fake = a_stopped_one()
    assert sweep(Sweep(dry_run=True), fake.world).taken_over == ("distribution d",)
    assert "d_end" not in fake.machines.started
    assert sweep(Sweep(), fake.world).taken_over == ("distribution d",)
    assert fake.machines.started["d_end"]["stopped"]["of"] == "d"
