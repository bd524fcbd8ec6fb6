"""What only Kiln knows to use an image: each kind, alone, keeps an image that has had its time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.channel import ChannelImage
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.steps._estate import survey
from kiln.steps._uses import Lookout
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, a_stack, a_version, an_image
from tests.unit.steps.pruning import FAR, HOME, Album, copy_of, done

Arrange = Callable[[Album, str], None]


def taken(album: Album, *images: str) -> None:
    album.fake.records.put_stack(a_stack())
    for number, image in enumerate(images):
        at = f"2026-11-0{number + 1}T00:00:00+00:00"
        row = LayerImage(layer="shop/web", image=image, created=at, rollout=f"r{number}", at=at)
        album.fake.records.add_layer_image(row)


def run_by_a_layer(album: Album, image: str) -> None:
    taken(album, "ami-0000000a", image)


def gone_back_to(album: Album, image: str) -> None:
    taken(album, "ami-0000000a", image, "ami-0000000b", "ami-0000000b")


def an_entry(state: InstanceState) -> Arrange:
    def arrange(album: Album, image: str) -> None:
        entry = LayerInstance(
            id="1", stack="shop", layers=("web",), hostname="web1", state=state, image=image
        )
        album.fake.records.put_stack(a_stack())
        album.fake.records.add_instance(entry)

    return arrange


def brought_to_a_layer(album: Album, image: str) -> None:
    rollout = Rollout(
        id="r",
        image=image,
        layer="shop/web",
        strategy="replace",
        bake="",
        platform="",
        architecture="",
    )
    album.fake.records.add_rollout(rollout)


def pointed_at_by_a_channel(album: Album, image: str) -> None:
    album.fake.channels.add(
        ChannelImage(
            blueprint="web",
            channel="prod",
            number=1,
            image=image,
            bake=BAKE,
            version=1,
            at=NOW.isoformat(),
        )
    )


def the_base_of_a_blueprint(album: Album, image: str) -> None:
    document = a_document(name="shop", base={"image": "ami-0000000000000000a"})
    document["base"]["image"] = image
    album.fake.versions.add(a_version(blueprint="shop", document=document))


def the_base_of_an_image(album: Album, image: str) -> None:
    album.add(5, blueprint="shop", id="ami-0000000c", base=image)


def the_base_of_a_bake(album: Album, image: str) -> None:
    plan = a_plan(a_document(name="shop"), base=an_image(id=image))
    album.fake.records.add_bake(a_record(plan))


def being_distributed(album: Album, image: str) -> None:
    place = ImagePlace(region=HOME, image=image, status="pending")
    album.fake.records.put_place(image, place)


KINDS: list[tuple[Arrange, str]] = [
    (run_by_a_layer, "layer shop/web"),
    (gone_back_to, "rollback shop/web"),
    (an_entry(InstanceState.STOPPED), "layer instance web1 (stopped) of shop/web"),
    (an_entry(InstanceState.ONLINE), "layer instance web1 (online) of shop/web"),
    (brought_to_a_layer, "rollout r of shop/web"),
    (pointed_at_by_a_channel, "channel web/prod"),
    (the_base_of_a_blueprint, "blueprint shop (its base)"),
    (the_base_of_an_image, "image ami-0000000c (made from it)"),
    (the_base_of_a_bake, f"bake shop{BAKE.removeprefix('web')} (its base)"),
    (being_distributed, "is being distributed"),
]


@pytest.mark.parametrize(("arrange", "why"), KINDS, ids=[why for _, why in KINDS])
def test_each_kind_of_use_keeps_an_image_and_is_named(arrange: Arrange, why: str) -> None:
    album = Album()
    album.add(1)
    old = album.add(100)
    arrange(album, old)
    rows = {row.here: row for row in album.prune().images}
    assert why in rows[old].kept_by
    assert album.state(old) == "available"


def test_what_has_ended_uses_nothing() -> None:
    """A rollout that has succeeded, a bake that is over, an image that was made and deleted, an
    image two before the one that a layer runs."""
    album = Album()
    album.add(1)
    old = album.add(100)
    brought_to_a_layer(album, old)
    (rollout,) = album.fake.records.rollouts(old)
    ended = rollout.model_copy(update={"status": RolloutStatus.SUCCEEDED})
    album.fake.records.update_rollout(ended)
    the_base_of_a_bake(album, old)
    (bake,) = album.fake.records.bakes("shop")
    for status, action in ((BakeStatus.WAITING, "none"), (BakeStatus.SKIPPED, "delete")):
        bake = album.fake.records.update_bake(bake.model_copy(update={"status": status}))
        assert done(album.prune(dry_run=True))[old] == action
    the_base_of_an_image(album, old)
    child = album.fake.records.image("ami-0000000c")
    assert child is not None
    album.fake.records.put_image(child.model_copy(update={"retired": NOW}))
    taken(album, old, "ami-0000000a", "ami-0000000b")
    assert done(album.prune())[old] == "delete"


def test_a_channel_keeps_the_copies_of_its_image_too_and_a_layer_only_what_it_runs() -> None:
    for arrange, kept in ((pointed_at_by_a_channel, "available"), (run_by_a_layer, "gone")):
        album = Album()
        album.add(1, FAR)
        old = album.add(100, FAR)
        arrange(album, old)
        album.prune()
        assert (album.state(old), album.state(copy_of(old), FAR)) == ("available", kept)


def test_an_instance_is_told_with_its_layer_and_its_hostname() -> None:
    album = Album()
    image = album.add(1)
    album.use(image)
    album.fake.records.put_stack(a_stack())
    entry = LayerInstance(
        id="1",
        stack="shop",
        layers=("web",),
        hostname="web1",
        state=InstanceState.ONLINE,
        ec2_id="i-1",
    )
    album.fake.records.add_instance(entry)
    world = album.fake.world
    (use,) = Lookout(survey(world), world).uses(HOME, [image])[image]
    assert use.label == "instance i-1 web1 of shop/web"
