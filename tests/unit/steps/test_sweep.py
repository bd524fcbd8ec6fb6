"""The sweep: what no running bake needs goes, everything else stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.image import Snapshot
from kiln.domain.place import ImagePlace
from kiln.domain.turns import Turn
from kiln.errors import AwsRefused
from kiln.ports import ExecutionFacts
from kiln.steps.sweep import Sweep, Swept, sweep
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, an_image, an_image_record
from tests.fakes import FakeWorld
from tests.fakes.records import FakeRecords

OTHER = "web-20261123-090000-aaaa"
IMAGE = "ami-0000000000000aaaa"
TAGS = {"kiln:bake": BAKE, "kiln:managed": "true"}
ENDED = {"status": BakeStatus.FAILED, "ended": NOW, "error": "StepFailed"}


def a_world(document: dict[str, Any] | None = None, **record: Any) -> FakeWorld:
    """A bake that failed three hours ago and left one of everything behind."""
    fake = FakeWorld()
    fake.records.add_bake(a_record(a_plan(document), **(ENDED | record)))
    fake.fleet.add(TAGS | {"kiln:role": "builder"})
    fake.fleet.add(TAGS | {"kiln:role": "clone"}, "stopped")
    fake.fleet.volumes["vol-1"] = BAKE
    fake.leftovers.interfaces["eni-1"] = BAKE
    volume = Snapshot(device="/dev/xvda", snapshot="snap-1", size_gib=8)
    fake.images.add(an_image(id=IMAGE, tags=TAGS, snapshots=(volume,)))
    fake.images.snapshots |= {"snap-1": BAKE, "snap-2": BAKE}
    fake.bundles.stored.add(f"bundles-bucket/bundles/{BAKE}")
    fake.clock.move(3 * 3600)
    return fake


def swept(fake: FakeWorld, **asked: Any) -> Swept:
    """One sweep."""
    return sweep(Sweep(**asked), fake.world)


def left(fake: FakeWorld) -> set[str]:
    """What would be found now, whatever its state."""
    gone = ("shutting-down", "terminated")
    return {thing.kind for thing in fake.leftovers.here() if thing.state not in gone}


ALL = {"instance", "volume", "network-interface", "image", "snapshot", "bundle"}


def test_everything_that_an_ended_bake_left_behind_goes() -> None:
    fake = a_world()
    found = swept(fake)
    assert {leak.kind for leak in found.leaks} == ALL
    assert {leak.outcome for leak in found.leaks} == {"removed"}
    assert left(fake) == set()
    # The instances are on their way out; nothing is found again.
    assert swept(fake).leaks == ()


def test_a_dry_run_names_all_and_removes_nothing() -> None:
    fake = a_world()
    found = swept(fake, dry_run=True)
    assert {leak.outcome for leak in found.leaks} == {"found"}
    assert left(fake) == ALL
    count = len(found.leaks)
    assert found.metrics() == {"Leaks": count, "LeaksLeft": count, "Stopped": 0}


def test_what_was_made_a_moment_ago_is_left_alone() -> None:
    fake = a_world()
    names = [thing.id for thing in fake.leftovers.here()]
    fake.leftovers.made = dict.fromkeys(names, NOW + timedelta(hours=2, minutes=30))
    assert swept(fake).leaks == ()
    assert {leak.kind for leak in swept(fake, grace_s=0).leaks} == ALL


def test_nothing_of_a_running_bake_is_touched() -> None:
    fake = a_world(status=BakeStatus.RUNNING, ended=None, error=None)
    fake.machines.started[BAKE] = {}
    assert swept(fake, grace_s=0).leaks == ()
    assert left(fake) == ALL


def test_what_another_deployment_made_is_not_ours() -> None:
    fake = a_world()
    fake.records = FakeRecords()
    assert swept(fake).leaks == ()
    assert left(fake) == ALL


def test_a_bake_whose_execution_was_stopped_is_ended_with_the_reason() -> None:
    fake = a_world(status=BakeStatus.RUNNING, ended=None, error=None)
    fake.machines.started[BAKE] = {}
    fake.machines.over.add(BAKE)
    fake.machines.ended[BAKE] = ExecutionFacts("ABORTED")
    assert swept(fake).ended == (BAKE,)
    record = fake.records.bake(BAKE)
    assert record is not None
    assert (record.status, record.error) == (BakeStatus.FAILED, "ABORTED")
    assert "was stopped from outside" in (record.cause or "")
    assert fake.bus.types() == ["Bake Failed"]
    assert left(fake) == set()
    assert swept(fake).ended == ()


def test_a_builder_that_was_asked_to_stay_stays_and_its_clone_goes() -> None:
    fake = a_world(a_document(on_failure="keep"))
    gone = [leak.id for leak in swept(fake).leaks if leak.kind == "instance"]
    roles = {fake.fleet.instances[name].tags["kiln:role"] for name in gone}
    assert roles == {"clone"}


def test_a_builder_stays_too_where_its_bake_was_stopped_and_never_torn_down() -> None:
    document = a_document(on_failure="keep")
    fake = a_world(document, status=BakeStatus.RUNNING, ended=None, error=None)
    fake.machines.started[BAKE] = {}
    fake.machines.over.add(BAKE)
    fake.machines.ended[BAKE] = ExecutionFacts("TIMED_OUT")
    assert swept(fake).ended == (BAKE,)
    roles = {i.tags["kiln:role"]: i.state for i in fake.fleet.instances.values()}
    assert roles == {"builder": "running", "clone": "shutting-down"}


def test_a_stopped_bake_that_made_nothing_is_ended_and_gives_its_turn_back() -> None:
    fake = FakeWorld()
    fake.records.add_bake(a_record())
    turn = Turn(bake=BAKE, execution=BAKE, asked=NOW.isoformat())
    assert fake.turns.take(turn, 10)
    fake.machines.started[BAKE] = {}
    fake.machines.over.add(BAKE)
    fake.machines.ended[BAKE] = ExecutionFacts("ABORTED")
    assert swept(fake).ended == (BAKE,)
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.status is BakeStatus.FAILED
    assert fake.turns.line().of(BAKE) is None


def test_a_good_image_stays_with_its_snapshots_and_the_rest_of_its_bake_goes() -> None:
    fake = a_world(status=BakeStatus.SUCCEEDED, error=None, image=IMAGE)
    fake.records.put_image(an_image_record(id=IMAGE, bake=BAKE))
    gone = {(leak.kind, leak.id) for leak in swept(fake).leaks}
    assert ("image", IMAGE) not in gone
    assert ("snapshot", "snap-1") not in gone
    assert ("snapshot", "snap-2") in gone
    assert not [kind for kind, _ in gone if kind == "bundle"]


@pytest.mark.parametrize(
    ("state", "wanted", "stays"),
    [("available", True, True), ("failed", True, False), ("available", False, False)],
)
def test_a_copy_stays_where_its_image_is_to_be(state: str, wanted: bool, stays: bool) -> None:
    """One that is available may be what `kiln distribute` goes on with."""
    regions = [{"region": "us-east-1" if wanted else "us-west-2"}]
    fake = a_world(
        a_document(distribute={"regions": regions}), status=BakeStatus.FAILED, image=IMAGE
    )
    fake.records.put_image(an_image_record(id=IMAGE, bake=BAKE))
    fake.records.put_place(IMAGE, ImagePlace(region="us-east-1", status="failed"))
    fake.leftovers.note_region("us-east-1")
    there = fake.regions.at("us-east-1").images
    there.add(an_image(id="ami-copy", state=state, tags=TAGS, snapshots=()))  # type: ignore[attr-defined]
    copies = [leak for leak in swept(fake).leaks if leak.region == "us-east-1"]
    assert [leak.id for leak in copies] == ([] if stays else ["ami-copy"])


def test_a_region_that_is_forbidden_is_named_and_the_others_are_swept() -> None:
    fake = a_world()
    fake.leftovers.noted = fake.leftovers.forbidden = {"us-east-1"}
    found = swept(fake)
    assert list(found.unseen) == ["us-east-1"]
    assert "UnauthorizedOperation" in found.unseen["us-east-1"]
    assert left(fake) == set()


def test_what_cannot_be_removed_is_said_and_the_rest_goes() -> None:
    fake = a_world()
    fake.fleet.refusal = AwsRefused("ec2", "TerminateInstances", "OperationNotPermitted", "no")
    found = swept(fake)
    stuck = {leak.kind for leak in found.leaks if leak.outcome != "removed"}
    assert stuck == {"instance", "volume"}
    assert found.metrics()["LeaksLeft"] == 3
    assert left(fake) == stuck


def test_a_bake_that_cannot_be_ended_yet_keeps_nothing_else_from_being_swept() -> None:
    fake = a_world()
    stuck = OTHER
    fake.records.add_bake(a_record(a_plan(bake=stuck)))
    fake.machines.started[stuck] = {}
    fake.machines.over.add(stuck)
    fake.machines.ended[stuck] = ExecutionFacts("ABORTED")
    fake.images.add(an_image(id="ami-0000000000000bbbb", tags=TAGS | {"kiln:bake": stuck}))
    fake.images.busy = {"ami-0000000000000bbbb"}
    assert {leak.kind for leak in swept(fake).leaks if leak.bake == BAKE} == ALL
