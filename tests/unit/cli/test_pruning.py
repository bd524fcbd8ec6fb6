"""`kiln prune`: what is asked of the function, and how its answers are told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from kiln.steps.prune_images import ImagesPruned, Pruned
from kiln_cli import place as places
from kiln_cli import pruning
from kiln_cli.pruning import Wish, prune
from tests.kiln_command import run


def a_row(**row: Any) -> dict[str, Any]:
    """What became of one image."""
    values = {
        "image": "ami-1",
        "here": "ami-1",
        "region": "us-east-1",
        "blueprint": "web",
        "name": "web-1",
        "action": "delete",
        "wanted": "delete",
        "why": ["95 days old, after is 90d"],
        "kept_by": [],
        "gigabytes": 8.0,
        "usd_a_month": 0.4,
        "error": "",
    }
    return values | row


def an_answer(*rows: dict[str, Any], **answer: Any) -> dict[str, Any]:
    return {"images": list(rows), "left": 0, "busy": {}, "dry_run": False} | answer


class FakePlace:
    """A deployed Kiln whose function answers one after the other."""

    outputs = {"PruneImagesFunctionName": "prune"}

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.session: Any = self

    def client(self, service: str, config: object) -> Any:
        assert service == "lambda"
        return self

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "prune"
        self.asked.append(json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(self.answers.pop(0)).encode())}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line where the function answers so."""

    def tell(*args: str, answers: list[dict[str, Any]]) -> Any:
        place = FakePlace(*answers)
        monkeypatch.setattr(places, "account", lambda _: place)
        return run("prune", *args), place

    return tell


def test_what_is_asked_for_reaches_the_function(told: Any) -> None:
    ran, place = told("web", "--dry-run", "--region", "us-east-1", answers=[an_answer()])
    asked = {"blueprints": ["web"], "regions": ["us-east-1"], "dry_run": True}
    assert (ran.status, place.asked) == (0, [asked])
    assert "no image has come to a rule" in ran.stderr


def test_each_image_is_told_with_what_why_and_what_holds_it_back(told: Any) -> None:
    kept = a_row(
        here="ami-2", action="none", why=[], kept_by=["instance i-1 (stopped)"], gigabytes=0.0
    )
    ran, _ = told(answers=[an_answer(a_row(), kept)])
    first, second = ran.stdout.splitlines()[1:3]
    assert "deleted" in first
    assert "8 GB, $0.40" in first
    assert "95 days old, after is 90d" in first
    assert "stays" in second
    assert "not deleted: instance i-1 (stopped)" in second
    assert ran.stdout.splitlines()[-1] == "frees at most 8 GB and $0.40 a month"


def test_a_region_without_a_known_price_says_so(told: Any) -> None:
    row = a_row(region="mx-central-1", usd_a_month=None)
    ran, _ = told("--dry-run", answers=[an_answer(a_row(), row, dry_run=True)])
    assert "would delete" in ran.stdout
    assert ran.stdout.splitlines()[-1] == (
        "would free at most 16 GB and $0.40 a month, and what storage costs in mx-central-1, whose "
        "price is not known here"
    )


def test_json_tells_the_rows_and_what_they_free_together(told: Any) -> None:
    ran, _ = told("--json", answers=[an_answer(a_row(), a_row(here="ami-2"))])
    assert ran.json["frees_at_most"] == {"gigabytes": 16.0, "usd_a_month": 0.8}
    assert [row["here"] for row in ran.json["images"]] == ["ami-1", "ami-2"]


def test_an_image_that_could_not_go_and_a_busy_region_are_a_failure(told: Any) -> None:
    row = a_row(error="ec2:DeregisterImage was refused: OperationNotPermitted: protected")
    ran, _ = told(answers=[an_answer(row)])
    assert ran.status == 1
    assert "delete failed" in ran.stdout
    assert "OperationNotPermitted" in ran.stdout
    ran, _ = told(answers=[an_answer(busy={"us-east-1": "RequestLimitExceeded"})])
    assert ran.status == 1
    assert "us-east-1: nothing more for now: RequestLimitExceeded" in ran.stderr


def test_it_asks_again_until_nothing_is_left() -> None:
    answers = [an_answer(a_row(here="ami-1"), left=2), an_answer(a_row(here="ami-2"))]
    place = FakePlace(*answers)
    found = prune(Wish((), (), False), place)  # type: ignore[arg-type]
    assert [row.here for row in found.images] == ["ami-1", "ami-2"]
    # What AWS refuses again and again is not asked for for ever.
    place = FakePlace(*(an_answer(a_row(error="no"), left=5) for _ in range(2)))
    assert prune(Wish((), (), False), place).left == 5  # type: ignore[arg-type]


def test_a_dry_run_frees_what_it_says_and_only_once() -> None:
    rows = tuple(Pruned(**row) for row in (a_row(), a_row(gigabytes=0.0, usd_a_month=0.0)))
    found = ImagesPruned(images=rows, left=0, busy={}, dry_run=True)
    assert pruning.summary(found) == "would free at most 8 GB and $0.40 a month"
    assert found.metrics() == {"ImagesDeleted": 0, "ImagesNotPruned": 0}
