"""`kiln images diff`: which images are compared, and what is said of their packages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiln.domain.bake import ImageRecord
from kiln.domain.packages import (
    Change,
    Manifest,
    PackageKind,
    Subject,
    dump_manifest,
    manifest_key,
    parse_packages,
)
from kiln.errors import Refused
from kiln_cli.contents import compare, direction
from tests.builders import BAKE, NOW
from tests.fakes import FakeWorld

OLD, NEW, OTHER = (f"ami-0000000000000000{n}" for n in (1, 2, 3))


def made(fake: FakeWorld, image: str, version: int, *lines: str, blueprint: str = "web") -> None:
    """Let Kiln have made an image of some packages, an hour after the one before."""
    made_before = len(fake.records.images(blueprint))
    text = "".join(f"{line.replace(' ', chr(9))}\n" for line in lines)
    values = {"bake": BAKE, "blueprint": blueprint, "version": version, "name": f"web-{version}"}
    values |= {"platform": "rhel-9", "architecture": "x86_64"}
    subject = Subject.model_validate(values | {"image": image})
    manifest = Manifest(subject=subject, packages=parse_packages(f"{text}end\t{len(lines)}\n"))
    fake.objects.bodies[manifest_key(image)] = dump_manifest(manifest)
    record = {"root_device": "ebs", "base": "ami-1", "region": "eu-west-1", "id": image}
    record |= {"manifest": manifest_key(image), "created": NOW + timedelta(hours=made_before)}
    fake.records.put_image(ImageRecord.model_validate(values | record))


@pytest.fixture
def fake() -> FakeWorld:
    fake = FakeWorld()
    made(fake, OLD, 1, "rpm bash 5.1-1 x86_64", "rpm kernel 6-1 x86_64", "rpm perl 5-1 noarch")
    made(
        fake,
        NEW,
        2,
        *("rpm bash 5.2-1 x86_64", "rpm kernel 6-1 x86_64", "rpm kernel 6-2 x86_64"),
        "rpm zsh 5-1 x86_64",
    )
    return fake


def test_two_images_differ_by_what_came_went_and_changed(fake: FakeWorld) -> None:
    found = compare(OLD, NEW, fake.world).as_json()
    assert [(p["name"], p["version"]) for p in found["added"]] == [
        ("kernel", "6-2"),
        ("zsh", "5-1"),
    ]
    assert [p["name"] for p in found["removed"]] == ["perl"]
    (bash,) = found["changed"]
    assert (bash["before"], bash["after"], bash["direction"]) == ("5.1-1", "5.2-1", "upgraded")
    assert found["before"] == {
        "id": OLD,
        "name": "web-1",
        "blueprint": "web",
        "version": 1,
        "manifest": f"images/{OLD}/packages.json",
        "sbom": "",
        "packages": 3,
    }


def test_the_rows_of_the_table_say_the_same_the_other_way_round(fake: FakeWorld) -> None:
    assert compare(NEW, OLD, fake.world).rows() == [
        ("added", "rpm", "perl", "noarch", "", "5-1"),
        ("removed", "rpm", "kernel", "x86_64", "6-2", ""),
        ("removed", "rpm", "zsh", "x86_64", "5-1", ""),
        ("downgraded", "rpm", "bash", "x86_64", "5.2-1", "5.1-1"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "images"),
    [("web@1", "web", (OLD, NEW)), ("web@2", "web@1", (NEW, OLD)), (NEW, "web", (NEW, NEW))],
)
def test_a_blueprint_stands_for_its_newest_image(
    fake: FakeWorld, before: str, after: str, images: tuple[str, str]
) -> None:
    found = compare(before, after, fake.world)
    assert (found.before.record.id, found.after.record.id) == images


def test_an_image_is_like_itself(fake: FakeWorld) -> None:
    assert compare(OLD, OLD, fake.world).rows() == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (OTHER, f"{OTHER}: no image that Kiln made"),
        ("shop", "shop: no image of that blueprint and version; known: none"),
        ("web@3", "web@3: no image of that blueprint and version; known: web@1, web@2"),
        ("web@new", "'new' is no version; write web@3"),
        ("web@", "'' is no version"),
    ],
)
def test_an_image_that_is_not_known_is_named(fake: FakeWorld, wanted: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        compare(OLD, wanted, fake.world)


def test_an_image_without_a_manifest_is_named(fake: FakeWorld) -> None:
    del fake.objects.bodies[manifest_key(OLD)]
    with pytest.raises(Refused, match=f"web@1: {OLD} has no package manifest"):
        compare("web@1", NEW, fake.world)
    fake.objects.bodies[manifest_key(OLD)] = b"{"
    with pytest.raises(Refused, match="json is no package manifest"):
        compare(OLD, NEW, fake.world)


def test_what_an_earlier_kiln_kept_is_no_manifest(fake: FakeWorld) -> None:
    old = fake.records.image(OLD)
    assert old
    fake.records.put_image(old.model_copy(update={"manifest": "bakes/b/packages/stdout"}))
    fake.objects.bodies["bakes/b/packages/stdout"] = b"bash 5.1-1 x86_64\n"
    with pytest.raises(Refused, match="has no package manifest"):
        compare(OLD, NEW, fake.world)


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("rpm", "1.9-1", "1.10-1", "upgraded"),
        ("rpm", "2.0-1", "1:1.0-1", "upgraded"),
        ("rpm", "1.0-1", "1.0~rc1-1", "downgraded"),
        ("rpm", "1.0-1.el9", "1.0-1.el9_2", "upgraded"),
        ("deb", "1.0-1", "1.0-1+deb12u1", "upgraded"),
        ("deb", "1.0-1", "1.0~rc1-1", "downgraded"),
        ("deb", "1:0.9-1", "2.0-1", "downgraded"),
        ("deb", "no version", "1.0", "changed"),
        ("program", "1.0", "2.0", "changed"),
    ],
)
def test_the_order_of_versions_is_that_of_their_keeper(
    kind: str, before: str, after: str, expected: str
) -> None:
    change = Change(kind=PackageKind(kind), name="x", architecture="", before=before, after=after)
    assert direction(change) == expected
