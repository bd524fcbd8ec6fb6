"""Apply keeps a blueprint's schedule as the blueprint says, and refuses a circle of bases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.errors import AwsBusy, InvalidRequest
from kiln.ports import Standing, Timing
from kiln_cli.applying import apply_file, plan_file, plan_files, store_blueprint
from kiln_cli.files import BlueprintFile
from kiln_cli.scheduling import settle
from tests.builders import a_document, a_version
from tests.fakes import FakeWorld
from tests.unit.cli.test_baking import FakePlace

NIGHTLY = Timing("cron(0 3 * * ? *)", "Europe/Berlin")
REBUILD = {"schedule": NIGHTLY.expression, "time_zone": NIGHTLY.time_zone}


def a_file(name: str = "web", **changes: Any) -> BlueprintFile:
    document = a_document(name=name, **changes)
    return BlueprintFile(Path(f"blueprints/{name}.yaml"), document, blueprint_from(document))


def on(base: str, name: str) -> BlueprintFile:
    return a_file(name, base={"blueprint": base})


# ------------------------------------------------------------ schedules


def test_a_schedule_is_set_changed_and_removed_as_the_blueprint_is_applied() -> None:
    fake = FakeWorld()
    assert apply_file(a_file(rebuild=REBUILD), fake.world).difference[-1].line == (
        'schedule: added "cron(0 3 * * ? *) Europe/Berlin"'
    )
    assert fake.schedules.standing == {"web": Standing(NIGHTLY)}
    later = a_file(rebuild=REBUILD | {"time_zone": "UTC"})
    assert apply_file(later, fake.world).difference[-1].line == (
        'schedule: "cron(0 3 * * ? *) Europe/Berlin" -> "cron(0 3 * * ? *) UTC"'
    )
    assert apply_file(later, fake.world).change == "unchanged"
    gone = apply_file(a_file(), fake.world).difference[-1]
    assert gone.line == 'schedule: removed "cron(0 3 * * ? *) UTC"'
    assert fake.schedules.standing == {}


def test_a_plan_shows_the_schedule_and_makes_none() -> None:
    fake = FakeWorld()
    assert plan_file(a_file(rebuild=REBUILD), fake.world).applied.difference[-1].path == "schedule"
    assert fake.schedules.standing == {}


def test_a_schedule_that_was_removed_or_changed_by_hand_is_mended() -> None:
    fake = FakeWorld()
    file = a_file(rebuild=REBUILD)
    apply_file(file, fake.world)
    fake.schedules.standing["web"] = Standing(NIGHTLY, ("State", "Target"))
    mended = apply_file(file, fake.world)
    assert (mended.change, mended.version) == ("changed", 1)
    assert "changed by hand: State, Target" in mended.difference[0].line
    assert fake.schedules.standing == {"web": Standing(NIGHTLY)}
    fake.schedules.remove("web")
    assert apply_file(file, fake.world).difference[0].change == "added"
    assert fake.schedules.standing == {"web": Standing(NIGHTLY)}


def test_of_two_who_apply_at_once_the_newest_version_has_the_schedule() -> None:
    """The first is about to write its schedule when the second stores a version and writes its
    own: what the first writes last is not what is stored."""
    fake = FakeWorld()
    newer = a_file(rebuild={"schedule": "rate(7 days)"})

    def second() -> None:
        fake.schedules.before_put = lambda: None
        apply_file(newer, fake.world)

    fake.schedules.before_put = second
    apply_file(a_file(rebuild=REBUILD), fake.world)
    stored = fake.versions.get("web")
    assert stored is not None
    assert (stored.number, stored.document) == (2, newer.document)
    assert fake.schedules.standing == {"web": Standing(Timing("rate(7 days)", "UTC"))}


def test_who_applies_against_another_without_end_is_told() -> None:
    fake = FakeWorld()
    days = iter(range(2, 100))

    def another() -> None:
        day = next(days)
        document = a_document(rebuild={"schedule": f"rate({day} days)"})
        fake.versions.add(a_version(day, document=document))

    another()
    fake.schedules.before_put = another
    with pytest.raises(AwsBusy, match="web changes again and again"):
        settle("web", fake.world)


def test_a_bake_stores_its_blueprint_and_leaves_the_schedule_to_apply() -> None:
    """A schedule by a rate would begin a bake at once, beside the one that is asked for."""
    fake = FakeWorld()
    file = a_file(rebuild=REBUILD)
    place: Any = FakePlace(fake)
    assert [store_blueprint(file, place) for _ in range(2)] == [1, 1]
    assert fake.schedules.standing == {}
    assert plan_file(file, fake.world).applied.difference[0].change == "added"


# ------------------------------------------------------------ circles


def test_a_circle_among_stored_and_given_files_is_refused_whole() -> None:
    fake = FakeWorld()
    for file in (a_file("one"), on("one", "two"), on("two", "three")):
        apply_file(file, fake.world)
    given = [a_file("other"), on("three", "one")]
    with pytest.raises(InvalidRequest) as refused:
        plan_files(given, fake.world)
    assert str(refused.value) == (
        "blueprints/one.yaml: base.blueprint: each is the base of the one before it: "
        "one -> three -> two -> one; give one of them another base"
    )
    (stored,) = fake.versions.all_of("one")
    assert stored.document == a_file("one").document
    assert fake.versions.get("other") is None


def test_a_circle_within_the_given_files_is_refused_and_one_that_they_break_is_not() -> None:
    fake = FakeWorld()
    with pytest.raises(InvalidRequest, match="one -> two -> one"):
        plan_files([on("two", "one"), on("one", "two")], fake.world)
    apply_file(a_file("one"), fake.world)
    apply_file(on("one", "two"), fake.world)
    # `one` goes onto `two`, and `two` off `one`, in one go.
    assert len(plan_files([on("two", "one"), a_file("two")], fake.world)) == 2


def test_a_single_file_closes_no_circle_either() -> None:
    fake = FakeWorld()
    apply_file(a_file("one"), fake.world)
    apply_file(on("one", "two"), fake.world)
    place: Any = FakePlace(fake)
    with pytest.raises(InvalidRequest, match="one -> two -> one"):
        apply_file(on("two", "one"), fake.world)
    with pytest.raises(InvalidRequest, match="one -> two -> one"):
        store_blueprint(on("two", "one"), place)


def test_a_blueprint_above_a_circle_of_others_is_not_what_closes_it() -> None:
    fake = FakeWorld()
    for name, base in (("one", "two"), ("two", "one")):
        document = on(base, name).document
        fake.versions.add(a_version(blueprint=name, document=document))
    assert apply_file(on("one", "above"), fake.world).change == "new"
