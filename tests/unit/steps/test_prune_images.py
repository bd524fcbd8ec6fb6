"""The daily run: what goes, in which order, and what a crash or a faster one changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiln.domain.place import ImagePlace
from kiln.domain.uses import Use
from kiln.errors import AwsBusy, AwsRefused, InvalidRequest
from kiln.ports import Reach, Sharing
from kiln.steps import prune_images as module
from tests.builders import NOW, a_document, keep_version
from tests.unit.steps.pruning import FAR, FRIEND, HOME, Album, copy_of, done


def test_images_are_disabled_and_deleted_with_their_snapshots_by_age() -> None:
    album = Album()
    new, middle, old = album.add(1), album.add(70), album.add(100)
    pruned = album.prune()
    assert [album.state(image) for image in (new, middle, old)] == ["available", "disabled", "gone"]
    assert set(album.images().snapshots) == {f"snap-{new}", f"snap-{middle}"}
    assert done(pruned) == {middle: "disable", old: "delete"}
    assert album.status(old) == {HOME: "deleted"}
    assert album.became() == [(middle, HOME, "disabled"), (old, HOME, "deleted")]
    again = album.prune()
    assert {row.action for row in again.images} == {"none"}
    assert len(album.became()) == 2


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    album = Album()
    new, middle, old = album.add(1), album.add(70), album.add(100)
    dry = album.prune(dry_run=True)
    assert [album.state(image) for image in (new, middle, old)] == ["available"] * 3
    assert album.status(old) == {HOME: "available"}
    assert album.fake.bus.events == []
    assert done(dry) == done(album.prune())


def test_what_a_deletion_frees_is_told_and_what_it_costs_where_the_price_is_known() -> None:
    album = Album()
    album.add(1, "mx-central-1")
    old = album.add(100, "mx-central-1")
    rows = {row.region: row for row in album.prune().images}
    assert (rows[HOME].here, rows[HOME].gigabytes, rows[HOME].usd_a_month) == (old, 8.0, 0.4)
    assert (rows["mx-central-1"].gigabytes, rows["mx-central-1"].usd_a_month) == (8.0, None)


def test_each_region_goes_by_its_own_rules() -> None:
    album = Album({"delete": {"after": "90d"}, "regions": {FAR: {"delete": {"after": "50d"}}}})
    album.add(1, FAR)
    image = album.add(60, FAR)
    album.prune()
    assert (album.state(image), album.state(copy_of(image), FAR)) == ("available", "gone")
    assert album.status(image) == {HOME: "available", FAR: "deleted"}
    assert album.fake.records.image(image).retired is None  # type: ignore[union-attr]


def test_a_record_stays_and_says_when_the_last_place_was_deleted() -> None:
    album = Album()
    album.add(1, FAR)
    old = album.add(100, FAR)
    album.prune()
    record = album.fake.records.image(old)
    assert record is not None
    assert record.retired == NOW
    assert {place.since for place in album.fake.records.places(old)} == {NOW}


def test_only_the_blueprints_and_regions_that_are_named_are_looked_at() -> None:
    album = Album()
    album.add(1, FAR)
    old = album.add(100, FAR)
    album.prune(regions=[FAR])
    assert (album.state(old), album.state(copy_of(old), FAR)) == ("available", "gone")
    with pytest.raises(InvalidRequest, match="shop: no blueprint of that name is known"):
        album.prune(blueprints=["shop"])
    with pytest.raises(InvalidRequest, match="mars-1: no image of Kiln's is there"):
        album.prune(regions=["mars-1"])


def test_a_blueprint_that_was_never_stored_goes_by_what_was_baked_last() -> None:
    album = Album()
    keep_version(a_document(), album.fake.world)
    album.add(1)
    album.add(100)
    assert album.prune().images == ()
    album.add(2, blueprint="inline", id="ami-00000001")
    album.add(99, blueprint="inline", id="ami-00000002")
    for record in album.fake.records.bakes("inline"):
        document = a_document(name="inline", lifecycle={"delete": {"keep_last": 1}})
        plan = record.plan.model_copy(update={"document": document})
        album.fake.records.update_bake(record.model_copy(update={"plan": plan}))
    assert done(album.prune()) == {"ami-00000002": "delete"}


def test_an_image_is_disabled_before_the_last_look_and_enabled_again_if_it_is_in_use_then() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    album.uses().later.append(Use(kind="instance", name="i-1", image=old))
    pruned = album.prune()
    assert len(album.uses().asked) == 2
    assert album.state(old) == "available"
    assert album.status(old) == {HOME: "available"}
    (row,) = pruned.images
    assert (row.action, row.why) == ("enable", ("instance i-1",))
    assert album.became() == [(old, HOME, "enabled")]


def test_who_could_launch_an_image_can_again_once_it_is_enabled() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    unit = "arn:aws:organizations::111122223333:ou/o-aaaaaaaaaa/ou-aaaa-bbbbbbbb"
    album.shelf().reaches[old] = Reach(accounts=(FRIEND,), organizational_units=(unit,))
    album.uses().later.append(Use(kind="instance", name="i-1", image=old))
    album.prune()
    assert album.outlet().shared == {old: Sharing((FRIEND,), (), (unit,))}


def test_an_image_that_another_account_has_launched_lately_stays() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    album.shelf().reaches[old] = Reach(accounts=(FRIEND,))
    album.shelf().launches[old] = NOW - timedelta(days=5)
    (row,) = album.prune().images
    assert (row.action, album.state(old)) == ("none", "available")
    assert "other accounts may launch it, and it was on 2026-11-18" in row.kept_by


def test_a_public_image_stays() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    album.shelf().reaches[old] = Reach(public=True)
    (row,) = album.prune().images
    assert row.kept_by == ("public everybody may launch it",)
    assert album.state(old) == "available"


def test_an_image_without_kilns_tags_is_left_alone_whatever_its_record_says() -> None:
    album = Album()
    album.add(1)
    old, other = album.add(100), album.add(101)
    for image, tags in ((old, {}), (other, {"kiln:managed": "true", "kiln:bake": "another"})):
        found = album.images().images[image]
        album.images().images[image] = found.model_copy(update={"tags": tags})
    assert done(album.prune()) == {}
    assert album.state(old) == album.state(other) == "available"


def test_what_kiln_has_no_record_of_is_left_alone() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    stray = album.images().images[old].model_copy(update={"id": "ami-00000009"})
    album.images().add(stray)
    album.prune()
    assert album.state("ami-00000009") == "available"


def test_a_deletion_that_broke_off_is_finished_with_its_snapshots() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    place = ImagePlace(region=HOME, image=old, status="deleting")
    album.fake.records.put_place(old, place)
    del album.images().images[old]
    assert f"snap-{old}" in album.images().snapshots
    assert done(album.prune()) == {old: "finish"}
    assert f"snap-{old}" not in album.images().snapshots
    assert album.status(old) == {HOME: "deleted"}


def test_a_run_that_broke_off_after_disabling_goes_on() -> None:
    album = Album({"delete": {"after": "90d"}})
    album.add(1)
    old = album.add(100)
    album.fake.records.put_place(old, ImagePlace(region=HOME, image=old, status="disabled"))
    album.shelf().disable(old)
    assert done(album.prune()) == {old: "delete"}
    assert album.state(old) == "gone"


def test_the_parts_of_a_bundle_go_with_their_image() -> None:
    album = Album()
    album.add(1)
    old = album.add(100, root_device="instance-store")
    bake = album.fake.records.image(old).bake  # type: ignore[union-attr]
    location = album.fake.bundles.location(bake)
    album.fake.bundles.stored.add(location)
    (row,) = album.prune().images
    assert album.fake.bundles.stored == set()
    assert (row.gigabytes, row.usd_a_month) == (9.0, None)


def test_a_refusal_is_told_of_its_image_and_the_others_go() -> None:
    album = Album()
    album.add(1)
    one, other = album.add(100), album.add(101)
    album.shelf().refusals[one] = AwsRefused("ec2", "DisableImage", "UnauthorizedOperation", "no")
    rows = {row.here: row for row in album.prune().images}
    assert "UnauthorizedOperation" in rows[one].error
    assert rows[one].gigabytes == 0
    assert (album.state(one), album.state(other)) == ("available", "gone")


def test_a_region_that_is_busy_is_left_for_the_next_run() -> None:
    album = Album()
    album.add(1, FAR)
    old = album.add(100, FAR)

    def busy(images: object) -> None:
        raise AwsBusy("ec2:DescribeInstances is busy: RequestLimitExceeded")

    album.uses(FAR).of = busy  # type: ignore[method-assign, assignment]
    pruned = album.prune()
    assert list(pruned.busy) == [FAR]
    assert (album.state(old), album.state(copy_of(old), FAR)) == ("gone", "available")


def test_a_run_takes_so_many_and_says_how_many_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    album = Album()
    album.add(1, FAR)
    olds = [album.add(days, FAR) for days in (100, 101, 102)]
    assert album.prune().left == 4
    assert [album.state(image) for image in olds] == ["available", "gone", "gone"]
    assert album.prune().left == 2
    assert album.prune().left == 0
    assert album.prune().images == ()


def test_an_image_of_an_older_kiln_without_places_goes_as_well() -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    album.fake.records._places.clear()
    assert done(album.prune()) == {old: "delete"}
    assert album.status(old) == {HOME: "deleted"}


def test_a_deprecation_date_is_set_once() -> None:
    album = Album({"deprecate": {"after": "30d"}})
    album.add(1)
    old = album.add(40)
    assert done(album.prune()) == {old: "deprecate"}
    assert album.images().deprecated[old] == NOW + timedelta(minutes=2)
    assert album.status(old) == {HOME: "deprecated"}
    found = album.images().images[old]
    at = album.images().deprecated[old].isoformat()
    album.images().images[old] = found.model_copy(update={"deprecated_at": at})
    assert done(album.prune()) == {old: "none"}
