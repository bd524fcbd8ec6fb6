"""The table's promises, kept by the fake and by DynamoDB alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.records import DynamoRecords
from kiln.domain.bake import BakeStatus, ImageRecord
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.errors import AwsBusy
from kiln.ports import Records
from tests.builders import BAKE, NOW, a_plan, a_record, a_stack
from tests.fakes import FakeRecords
from tests.moto_clients import a_table, mock_aws


@pytest.fixture(params=["fake", "dynamodb"])
def records(request: pytest.FixtureRequest) -> Iterator[Records]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeRecords()
        return
    with mock_aws():
        yield DynamoRecords(a_table(), "kiln")


def test_stacks_are_replaced_and_listed(records: Records) -> None:
    assert records.stack("shop") is None
    records.put_stack(a_stack())
    records.put_stack(a_stack(name="bank"))
    assert records.stack("shop") == a_stack()
    assert [stack.name for stack in records.stacks()] == ["bank", "shop"]


def test_a_bake_is_added_once_and_updated(records: Records) -> None:
    record = a_record()
    assert records.add_bake(record)
    assert not records.add_bake(record)
    done = record.model_copy(update={"status": BakeStatus.SUCCEEDED, "ended": NOW})
    done = records.update_bake(done)
    assert records.bake(BAKE) == done
    with pytest.raises(AwsBusy, match=f"{BAKE} changed while it was read"):
        records.update_bake(record.model_copy(update={"image": "ami-1"}))
    assert records.bake("by-hand") is None
    assert records.bake("web-20260101-000000-0000") is None


def test_a_blueprints_bakes_come_in_the_order_of_time(records: Records) -> None:
    later, earlier = BAKE, "web-20261122-101500-ffff"
    for bake in (later, earlier):
        records.add_bake(a_record(a_plan(bake=bake)))
    assert [record.plan.bake for record in records.bakes("web")] == [earlier, later]
    assert records.bakes("other") == ()


def test_a_blueprint_that_came_with_its_bake_is_known_by_it_though_it_is_not_stored(
    records: Records,
) -> None:
    assert records.baked() == ()
    for bake in (BAKE, "bank-20261122-101500-ffff", "web-20261122-101500-ffff"):
        records.add_bake(a_record(a_plan(bake=bake)))
    assert records.baked() == ("bank", "web")


def test_an_image_is_found_by_its_id_and_by_its_blueprint(records: Records) -> None:
    image = ImageRecord(
        id="ami-1",
        name="n",
        bake=BAKE,
        blueprint="web",
        version=1,
        platform="amazon-linux-2023",
        architecture="x86_64",
        root_device="ebs",
        base="ami-0",
        region="eu-west-1",
        created=NOW,
    )
    assert records.image("ami-1") is None
    records.put_image(image)
    records.put_image(image)
    assert records.image("ami-1") == image
    assert records.images("web") == (image,)


def test_an_image_has_one_place_a_region_and_the_last_word_counts(records: Records) -> None:
    assert records.places("ami-1") == ()
    for region in ("us-east-1", "eu-west-1"):
        records.put_place("ami-1", ImagePlace(region=region, image="ami-1"))
    records.put_place("ami-2", ImagePlace(region="eu-west-1"))
    done = ImagePlace(region="us-east-1", status="available", launch_templates={"web": 7}, lost=2)
    records.put_place("ami-1", done)
    home, far = records.places("ami-1")
    assert (home.region, home.status, far) == ("eu-west-1", "pending", done)
    # It lies beside the image and its rollouts, and is neither.
    assert records.image("ami-1") is None
    assert records.rollouts("ami-1") == ()


def test_a_claim_is_the_first_writers(records: Records) -> None:
    assert records.claimed("k") is None
    assert records.claim("k", "mine") == "mine"
    assert records.claim("k", "yours") == "mine"
    assert records.claimed("k") == "mine"


def test_a_rollout_is_one_per_image_and_layer(records: Records) -> None:
    rollout = a_rollout()
    assert records.add_rollout(rollout)
    assert not records.add_rollout(rollout)
    going = records.update_rollout(rollout.model_copy(update={"size": 2}))
    assert records.open_rollouts() == (going,)
    with pytest.raises(AwsBusy, match="changed while it was read"):
        records.update_rollout(rollout.model_copy(update={"size": 3}))
    records.close_rollout(going.model_copy(update={"status": RolloutStatus.SUCCEEDED}))
    assert records.open_rollouts() == ()
    done = going.model_copy(update={"status": RolloutStatus.SUCCEEDED, "revision": 2})
    assert records.rollout("ami-1", "shop/web") == done
    assert records.rollouts("ami-1") == (done,)
    assert records.rollout("ami-1", "shop/app") is None


def test_each_attempt_is_kept_and_the_last_one_counts(records: Records) -> None:
    first, second, tenth, other = (
        Rollout(
            id=f"{image}-{layer}-{attempt}",
            image=image,
            layer=layer,
            strategy="replace",
            bake="b",
            platform="debian-12",
            architecture="x86_64",
            attempt=attempt,
            asked=f"2026-11-{day}",
        )
        for image, layer, attempt, day in (
            ("ami-1", "shop/web", 1, "01"),
            ("ami-1", "shop/web", 2, "03"),
            ("ami-1", "shop/web", 10, "04"),
            ("ami-2", "shop/web", 1, "02"),
        )
    )
    beside = first.model_copy(update={"layer": "shop/web-2", "id": "beside"})
    for rollout in (tenth, first, second, other, beside):
        assert records.add_rollout(rollout)
    assert not records.add_rollout(second)
    assert records.rollout("ami-1", "shop/web") == tenth
    assert records.rollouts("ami-1") == (tenth, beside)
    assert len(records.open_rollouts()) == 5
    ended = records.update_rollout(second.model_copy(update={"status": RolloutStatus.FAILED}))
    # Whatever is noted, the record counts.
    assert len(records.open_rollouts()) == 4
    assert records.rollouts_of("shop/web") == (first, other, ended, tenth)
    assert records.rollouts_of("shop/web-2") == (beside,)


def test_a_rollout_of_an_older_kiln_has_no_revision_and_is_written_once() -> None:
    with mock_aws():
        table = a_table()
        records = DynamoRecords(table, "kiln")
        rollout = a_rollout()
        key = {"PK": {"S": "IMAGE#ami-1"}, "SK": {"S": "ROLLOUT#shop/web#00000001"}}
        table.put_item(TableName="kiln", Item=key | {"body": {"S": rollout.model_dump_json()}})
        records.update_rollout(rollout)
        with pytest.raises(AwsBusy):
            records.update_rollout(rollout)


def a_rollout() -> Rollout:
    return Rollout(
        id="r",
        image="ami-1",
        layer="shop/web",
        strategy="add",
        bake=BAKE,
        platform="amazon-linux-2023",
        architecture="x86_64",
    )


def test_distributions_are_noted_until_they_have_ended(records: Records) -> None:
    for _ in range(2):
        records.note_distribution("ami-1", "d")
    records.note_distribution("ami-2", "e")
    assert records.open_distributions() == (("ami-1", "d"), ("ami-2", "e"))
    for _ in range(2):
        records.drop_distribution("ami-1", "d")
    assert records.open_distributions() == (("ami-2", "e"),)


def test_a_stacks_instances_come_and_go(records: Records) -> None:
    entry = LayerInstance(
        id="guid", stack="shop", layers=("web",), hostname="web1", state=InstanceState.REQUESTED
    )
    assert records.add_instance(entry)
    assert not records.add_instance(entry.model_copy(update={"hostname": "another"}))
    assert records.instance("shop", "guid") == entry
    assert records.instance("shop", "nobody") is None
    changed = entry.model_copy(update={"state": InstanceState.ONLINE, "ec2_id": "i-1"})
    online = records.replace_instance(changed)
    assert online == changed.model_copy(update={"revision": 1})
    # Somebody has written since it was read.
    assert records.replace_instance(changed) is None
    assert records.instances("shop") == (online,)
    assert online is not None
    records.remove_instance(online)
    records.remove_instance(online)
    assert records.instances("shop") == ()
    assert records.replace_instance(online) is None


def test_a_layer_has_one_rollout_at_a_time(records: Records) -> None:
    assert records.layer_holder("shop/web") is None
    assert records.hold_layer("shop/web", "a")
    assert not records.hold_layer("shop/web", "b")
    assert records.hold_layer("shop/app", "b")
    assert records.hold_layer("shop/web", "b", instead_of="a")
    records.release_layer("shop/web", "a")
    assert records.layer_holder("shop/web") == "b"
    records.release_layer("shop/web", "b")
    assert records.layer_holder("shop/web") is None


def test_the_images_that_a_layer_took_are_kept_in_order(records: Records) -> None:
    first, second = (
        LayerImage(layer="shop/web", image=f"ami-{n}", created="", rollout="r", at=f"2026-0{n}")
        for n in (1, 2)
    )
    records.add_layer_image(second)
    records.add_layer_image(first)
    records.add_layer_image(first)
    assert records.layer_images("shop/web") == (first, second)
    assert records.layer_images("shop/we") == ()


def test_healing_is_held_by_each_bake_on_its_own(records: Records) -> None:
    assert records.healing_holds("shop/app") == set()
    records.hold_healing("shop/app", "a")
    records.hold_healing("shop/app", "a")
    records.hold_healing("shop/app", "b")
    records.release_healing("shop/app", "a")
    assert records.healing_holds("shop/app") == {"b"}
    records.release_healing("shop/app", "b")
    assert records.healing_holds("shop/app") == set()
