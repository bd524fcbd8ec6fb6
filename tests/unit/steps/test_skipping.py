"""Bakes that have nothing to make, and blueprints that are paused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.failure import Failure
from kiln.domain.pausing import Pause
from kiln.domain.rebuild import Trigger
from kiln.errors import BaseImageNotFound
from kiln.steps.plan_bake import BakePlanned
from tests.builders import NOW, a_document, a_version, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.turning import ended, image_of, order, planned

IMAGE = "ami-00000000000000aa"
BROKEN = Failure(error="StepFailed", cause="step 'tune' exited 3")


def baked(document: Any = None, **image: Any) -> FakeWorld:
    """A world in which a blueprint has been baked."""
    fake = FakeWorld()
    asked = order(document or a_document(), 1)
    record = fake.records.bake(planned(fake, asked).bake)
    assert record is not None
    fake.images.add(an_image(id=IMAGE, name="web-1"))
    fake.records.put_image(image_of(record, id=IMAGE, **image))
    ended(fake, asked)
    return fake


def again(fake: FakeWorld, document: Any = None, **request: Any) -> BakePlanned:
    """The same blueprint once more."""
    return planned(fake, order(document or a_document(), 2, **request))


def test_the_same_again_is_skipped_and_says_which_image_it_is() -> None:
    fake = baked()
    answer = again(fake)
    assert (answer.verdict, answer.skipped and answer.skipped.image) == ("skip", IMAGE)
    record = fake.records.bake(answer.bake)
    assert record is not None
    assert (record.status, record.ended) == (BakeStatus.SKIPPED, NOW)
    assert record.skipped is not None
    assert "nothing has changed since web-" in record.skipped.reason
    assert fake.bus.types() == ["Bake Started"]
    assert again(fake) == answer


@pytest.mark.parametrize(
    ("request_", "document"),
    [
        ({"force": True}, {}),
        ({"trigger": "schedule"}, {"rebuild": {"when": "always"}}),
        ({}, {"steps": [{"name": "tune", "shell": "echo else"}]}),
    ],
    ids=["forced", "always on schedule", "changed"],
)
def test_it_is_baked_all_the_same(request_: dict[str, Any], document: dict[str, Any]) -> None:
    assert again(baked(), a_document(**document), **request_).verdict == "go"


@pytest.mark.parametrize("trigger", ["manual", "base"])
def test_always_is_for_the_schedule_alone(trigger: str) -> None:
    document = a_document(rebuild={"when": "always"})
    assert again(baked(document), document, trigger=trigger).verdict == "skip"


def test_an_image_that_was_never_announced_or_kept_no_fingerprint_does_not_count() -> None:
    assert again(baked(announced=None)).verdict == "go"
    assert again(baked(fingerprint=None)).verdict == "go"


def test_an_image_that_may_not_be_launched_any_more_does_not_count() -> None:
    fake = baked()
    fake.images.add(an_image(id=IMAGE, state="failed"))
    assert again(fake).verdict == "go"
    fake = baked()
    day_before = (NOW - timedelta(days=1)).isoformat()
    fake.images.add(an_image(id=IMAGE, deprecated_at=day_before))
    assert again(fake).verdict == "go"


def test_of_images_that_are_gone_the_one_before_counts() -> None:
    fake = baked()
    (older,) = fake.records.images("web")
    newer = {"id": "ami-00000000000000bb", "bake": "web-20261124-101500-9f3a", "fingerprint": "x"}
    fake.records.put_image(older.model_copy(update=newer))
    answer = again(fake)
    assert answer.skipped is not None
    assert answer.skipped.image == IMAGE


def test_content_that_has_changed_elsewhere_is_a_change() -> None:
    document = a_document(steps=[{"name": "s", "script": {"s3": "s3://bucket/a.sh"}}])
    fake = FakeWorld()
    fake.origins.contents["s3://bucket/a.sh"] = "v1"
    asked = order(document, 1)
    record = fake.records.bake(planned(fake, asked).bake)
    assert record is not None
    fake.images.add(an_image(id=IMAGE))
    fake.records.put_image(image_of(record, id=IMAGE))
    ended(fake, asked)
    assert again(fake, document).verdict == "skip"
    ended(fake, order(document, 2))
    fake.origins.contents["s3://bucket/a.sh"] = "v2"
    assert planned(fake, order(document, 3)).verdict == "go"


def test_a_document_of_another_deploy_is_a_change() -> None:
    fake = baked()
    fake.origins.documents["clean-linux"] = "newer"
    assert again(fake).verdict == "go"


@pytest.mark.parametrize("name", ["run-shell", "verify-linux"])
def test_what_cannot_be_told_is_never_skipped(name: str) -> None:
    fake = FakeWorld()
    fake.origins.documents[name] = None
    record = fake.records.bake(planned(fake, order(a_document(), 1)).bake)
    assert record is not None
    assert record.plan.fingerprint is None


def failing(fake: FakeWorld, number: int, trigger: str = "schedule", **document: Any) -> None:
    """A bake that fails."""
    asked = order(a_document(**document), number, trigger=trigger)
    assert planned(fake, asked).verdict == "go"
    ended(fake, asked, BROKEN)
    ended(fake, asked, BROKEN)


def paused() -> FakeWorld:
    """A world in which three bakes that nobody asked for have failed."""
    fake = FakeWorld()
    for number, trigger in enumerate(("schedule", "base", "schedule")):
        assert fake.pauses.paused("web") is None
        failing(fake, number, trigger)
    return fake


def test_failures_in_a_row_pause_a_blueprint_and_are_announced_once() -> None:
    fake = paused()
    pause = fake.pauses.paused("web")
    assert pause is not None
    assert (pause.by, pause.version) == ("kiln", 0)
    assert pause.reason == (
        "3 bakes that nobody asked for failed in a row, the last with StepFailed"
    )
    (event,) = [e for e in fake.bus.events if e.detail_type == "Blueprint Paused"]
    assert len(event.detail()["bakes"]) == 3


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.BASE])
def test_a_paused_blueprint_is_not_baked_without_being_asked_for(trigger: Trigger) -> None:
    fake = paused()
    answer = planned(fake, order(a_document(), 9, trigger=trigger.value, force=True))
    assert answer.verdict == "skip"
    assert answer.skipped is not None
    assert "web is paused since 2026-11-23T10:15:00 by kiln: 3 bakes" in answer.skipped.reason
    assert "kiln blueprints resume web" in answer.skipped.reason
    record = fake.records.bake(answer.bake)
    assert record is not None
    assert (record.status, record.trigger) == (BakeStatus.SKIPPED, trigger)
    assert fake.turns.line().running == ()


def test_a_success_ends_the_pause_and_the_row() -> None:
    fake = paused()
    asked = order(a_document(), 9)
    assert planned(fake, asked).verdict == "go"
    ended(fake, asked)
    assert fake.pauses.paused("web") is None
    failing(fake, 10)
    assert fake.pauses.paused("web") is None


def test_a_new_version_is_given_a_chance_with_a_row_of_its_own() -> None:
    fake = FakeWorld()
    fake.versions.add(a_version(document=a_document(rebuild={"pause_after": 1})))
    scheduled = order("web", 1, trigger="schedule")
    planned(fake, scheduled)
    ended(fake, scheduled, BROKEN)
    assert planned(fake, order("web", 2, trigger="schedule")).verdict == "skip"
    fake.versions.add(a_version(2, document=a_document(rebuild={"pause_after": 2})))
    newer = order("web", 3, trigger="schedule")
    assert planned(fake, newer).verdict == "go"


def test_a_pause_by_hand_stays_over_successes_and_versions() -> None:
    fake = FakeWorld()
    fake.pauses.pause("web", Pause(reason="by hand", since=NOW.isoformat(), by="arn:me"))
    asked = order(a_document(), 1)
    planned(fake, asked)
    ended(fake, asked)
    assert planned(fake, order(a_document(), 2, trigger="base", version=9)).verdict == "skip"


@pytest.mark.parametrize("error", ["BakeRefused", "TurnMissed"])
def test_a_bake_whose_turn_did_not_come_is_no_failure_of_its_blueprint(error: str) -> None:
    fake = FakeWorld()
    document = a_document(rebuild={"pause_after": 1})
    asked = order(document, 1, trigger="schedule")
    planned(fake, asked)
    ended(fake, asked, Failure(error=error))
    assert fake.pauses.paused("web") is None


def test_bakes_that_somebody_asked_for_do_not_count() -> None:
    fake = FakeWorld()
    for number in range(5):
        failing(fake, number, "manual")
    assert fake.pauses.paused("web") is None


def test_a_skipped_bake_neither_counts_nor_breaks_the_row() -> None:
    fake = baked()
    failing(fake, 3, steps=[{"name": "b", "shell": "exit 1"}])
    failing(fake, 4, steps=[{"name": "b", "shell": "exit 1"}])
    skipped = order(a_document(), 5, trigger="schedule")
    answer = planned(fake, skipped)
    assert answer.verdict == "skip"
    assert ended(fake, skipped).status is BakeStatus.SKIPPED
    assert fake.pauses.paused("web") is None
    failing(fake, 6, steps=[{"name": "b", "shell": "exit 1"}])
    assert fake.pauses.paused("web") is not None


def test_a_base_that_is_gone_counts_though_there_is_no_plan_and_later_makes_no_noise() -> None:
    fake = FakeWorld()
    gone = a_document(base={"parameter": "/gone"}, rebuild={"pause_after": 2})
    fake.versions.add(a_version(document=gone))
    for number in (1, 2):
        asked = order("web", number, trigger="schedule")
        with pytest.raises(BaseImageNotFound):
            planned(fake, asked)
        ended(fake, asked, Failure(error="BaseImageNotFound", state="PlanBake"))
    assert fake.bus.types() == ["Bake Failed", "Bake Failed", "Blueprint Paused"]
    answer = planned(fake, order("web", 3, trigger="schedule"))
    assert answer.verdict == "skip"
    assert fake.records.bake(answer.bake) is None
    assert fake.records.bakes("web") == ()
