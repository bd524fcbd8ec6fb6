"""`kiln distribute`: what is started, what is refused, how it ends."""

from __future__ import annotations

import json
from itertools import repeat
from typing import Any

import pytest

from kiln.domain.bake import ImageRecord
from kiln.domain.place import ImagePlace
from kiln.errors import InvalidBlueprint
from kiln_cli import distributing
from kiln_cli.baking import Pace
from kiln_cli.commands.images import _regions
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, a_version
from tests.fakes import FakeWorld

IMAGE = "ami-0000000000000ba5e"
WISH = {"regions": [{"region": "us-east-1"}]}
HERE = ImagePlace(region="eu-west-1", image=IMAGE, status="available", accounts=("210987654321",))
THERE = ImagePlace(region="us-east-1", status="failed", error="ImageFailed", cause="no key")


class FakePlace:
    """A place whose executions end as they are told to."""

    distribution_machine = "arn:distribution"

    def __init__(self, *statuses: str) -> None:
        self.fakes = FakeWorld()
        self.fakes.records.add_bake(a_record(a_plan(a_document(distribute=WISH))))
        self.fakes.records.put_image(record())
        for place in (HERE, THERE):
            self.fakes.records.put_place(IMAGE, place)
        self.statuses = list(statuses)
        self.started: list[dict[str, Any]] = []

    @property
    def world(self) -> Any:
        return self.fakes.world

    def client(self, service: str) -> Any:
        assert service == "stepfunctions"
        return self

    def start_execution(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"executionArn": f"arn:{request['name']}"}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"status": self.statuses.pop(0), "startDate": NOW}


def record() -> ImageRecord:
    return ImageRecord(
        id=IMAGE,
        name="web-1",
        bake=BAKE,
        blueprint="web",
        version=1,
        platform="amazon-linux-2023",
        architecture="x86_64",
        root_device="ebs",
        base="ami-1",
        region="eu-west-1",
        created=NOW,
    )


def start(place: Any, *regions: str, newest: bool = False) -> dict[str, Any]:
    """Start; the input of the execution."""
    distributing.start(record(), regions, newest, place)
    found: dict[str, Any] = json.loads(place.started[-1]["input"])
    return found


def test_an_execution_is_started_for_what_is_missing_or_for_the_regions_named() -> None:
    place = FakePlace()
    assert start(place) == {"image": IMAGE, "regions": []}
    assert start(place, "us-east-1") == {"image": IMAGE, "regions": ["us-east-1"]}
    names = [request["name"] for request in place.started]
    assert len(set(names)) == 2
    assert all(len(name) <= 80 for name in names)


def test_a_region_to_which_an_image_does_not_go_is_refused() -> None:
    place = FakePlace()
    with pytest.raises(InvalidBlueprint, match="does not go to eu-west-2; it goes to eu-west-1"):
        start(place, "eu-west-2")
    assert place.started == []


def test_the_newest_version_of_a_blueprint_must_be_stored() -> None:
    place = FakePlace()
    with pytest.raises(InvalidBlueprint, match="web: is not stored; `kiln apply`"):
        start(place, newest=True)
    place.fakes.versions.add(a_version())
    assert start(place, newest=True) == {"image": IMAGE, "regions": [], "version": 1}


def test_an_image_that_kiln_did_not_make_is_refused() -> None:
    with pytest.raises(InvalidBlueprint, match="ami-2: is no image that Kiln has made here"):
        distributing.recorded("ami-2", FakePlace().world)


def test_the_end_of_a_distribution_says_where_the_image_is() -> None:
    place: Any = FakePlace("RUNNING", "FAILED")
    slept: list[float] = []
    pace = Pace(slept.append, lambda: repeat(1.0))
    found = distributing.finish(IMAGE, "arn:1", place, pace)
    assert (found.status, slept) == ("FAILED", [1.0])
    assert distributing.rows(found.places) == [
        ("eu-west-1", IMAGE, "available", "210987654321"),
        ("us-east-1", "-", "failed", "-"),
    ]


def test_the_list_of_images_says_where_each_is_and_who_shares_it() -> None:
    assert _regions(record(), (HERE, THERE)) == "eu-west-1, us-east-1 (failed)"
    assert _regions(record(), ()) == "eu-west-1"
