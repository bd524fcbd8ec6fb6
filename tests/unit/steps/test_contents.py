"""What is in an image: read from what the builder printed, kept, compared with the image before."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from kiln.domain.bake import ImageRecord
from kiln.domain.packages import load_manifest
from kiln.errors import StepFailed
from kiln.steps.record_contents import ContentsRecorded, RecordContents, record_contents
from kiln.steps.verify_image import CommandRef
from tests.builders import BAKE, NOW, a_document, a_plan, a_record
from tests.fakes import FakeWorld

IMAGE = "ami-0000000000000ba5e"
PRINTED = f"bakes/{BAKE}/prepare-0/c-1/i-1/awsrunShellScript/packages/stdout"
LIST = "rpm\tbash\t5.2.15-1.amzn2023\tx86_64\nrpm\tnginx\t1:1.28.0-1.amzn2023\tx86_64\n"


def a_world(printed: str | None = f"{LIST}end\t2\n") -> FakeWorld:
    """A world in which a preparation printed something."""
    fake = FakeWorld()
    fake.records.add_bake(a_record(a_plan()))
    if printed is not None:
        fake.objects.bodies[PRINTED] = printed.encode()
    return fake


def recorded(fake: FakeWorld, image: str = IMAGE) -> ContentsRecorded:
    """Record what is in an image."""
    prepared = CommandRef(instance="i-1", command="c-1")
    return record_contents(RecordContents(bake=BAKE, image=image, prepared=prepared), fake.world)


def announce(fake: FakeWorld, image: str, days: int) -> None:
    """Let an image be one of the blueprint's, made some days ago."""
    fake.records.put_image(
        ImageRecord(
            **dict.fromkeys(("name", "platform", "architecture", "base", "region"), "x"),
            id=image,
            bake=BAKE.replace("9f3a", f"{days:04x}"),
            blueprint="web",
            version=1,
            root_device="ebs",
            created=NOW - timedelta(days=days),
        )
    )


def test_the_packages_and_the_bill_are_kept_under_the_images_id() -> None:
    fake = a_world()
    found = recorded(fake)
    assert found.manifest == f"images/{IMAGE}/packages.json"
    assert found.sbom == f"images/{IMAGE}/sbom.cdx.json"
    kept = json.loads(fake.objects.bodies[found.manifest])
    assert kept["subject"]["image"] == IMAGE
    assert [(p["name"], p["version"]) for p in kept["packages"]] == [
        ("bash", "5.2.15-1.amzn2023"),
        ("nginx", "1:1.28.0-1.amzn2023"),
    ]
    assert fake.objects.bodies[found.sbom] == f"{IMAGE} 2 {NOW.isoformat()}".encode()
    assert fake.objects.media_types[found.sbom] == "application/vnd.cyclonedx+json"
    assert (found.packages, found.previous, found.added) == (2, None, 0)


def test_the_first_and_a_repeated_record_are_the_same_bytes() -> None:
    fake = a_world()
    recorded(fake)
    first = dict(fake.objects.bodies)
    announce(fake, IMAGE, 0)
    assert recorded(fake).previous is None
    assert fake.objects.bodies == first


def test_what_came_went_and_changed_is_counted_from_the_blueprints_newest_image() -> None:
    fake = a_world("rpm\tbash\t5.1-1\tx86_64\nrpm\tperl\t5-1\tx86_64\nend\t2\n")
    for image, days in (("ami-00000000000000001", 9), ("ami-00000000000000002", 1)):
        recorded(fake, image)
        announce(fake, image, days)
        fake.objects.bodies[PRINTED] = f"{LIST}end\t2\n".encode()
    fake.objects.bodies[PRINTED] = b"rpm\tbash\t5.3-1\tx86_64\nrpm\tzsh\t5-1\tx86_64\nend\t2\n"
    found = recorded(fake)
    assert found.previous == "ami-00000000000000002"
    assert (found.added, found.removed, found.changed) == (1, 1, 1)


@pytest.mark.parametrize("kept", [None, b"", b"[]", b'{"subject": {}, "packages": []}'])
def test_an_image_before_without_a_manifest_is_not_compared(kept: bytes | None) -> None:
    fake = a_world()
    announce(fake, "ami-00000000000000001", 1)
    if kept is not None:
        fake.objects.bodies["images/ami-00000000000000001/packages.json"] = kept
    assert recorded(fake).previous is None


def test_what_windows_has_is_read_as_powershell_prints_it() -> None:
    fake = FakeWorld()
    windows = a_document(platform="windows-2022", steps=None)
    fake.records.add_bake(a_record(a_plan(windows)))
    printed = "feature\tWeb-Server\t\t\r\nprogram\tA\u00e9 \u2122\t1.0\tx64\r\nend\t2\r\n"
    key = PRINTED.replace("awsrunShellScript", "awsrunPowerShellScript")
    fake.objects.bodies[key] = printed.encode("utf-8-sig")
    assert recorded(fake).packages == 2
    kept = load_manifest(fake.objects.bodies[f"images/{IMAGE}/packages.json"]).packages
    assert [(p.name, p.version) for p in kept] == [("Web-Server", ""), ("A\u00e9 \u2122", "1.0")]


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (None, "is not in Kiln's bucket"),
        ("", "is cut off: its last line does not say that it ends"),
        (LIST, "is cut off"),
        (LIST[:-9], "is cut off"),
        (f"{LIST}end\t3\n", "is cut off: it has 2 lines and says '3'"),
        ("end\t0\n", "names no package"),
        ("rpm\tbash\t5\nend\t1\n", "has 3 fields in line 1"),
        ("snap\tcore\t1\tx\nend\t1\n", "names an unknown kind in line 1"),
        ("deb\tbash\t\tall\nend\t1\n", "lacks a name or a version in line 1"),
    ],
    ids=["missing", "empty", "no end", "cut", "too few", "none", "fields", "kind", "version"],
)
def test_a_list_that_is_not_whole_fails_and_writes_nothing(printed: str | None, said: str) -> None:
    fake = a_world(printed)
    before = dict(fake.objects.bodies)
    with pytest.raises(StepFailed, match=said) as raised:
        recorded(fake)
    assert PRINTED in str(raised.value)
    assert IMAGE in str(raised.value)
    assert fake.objects.bodies == before
