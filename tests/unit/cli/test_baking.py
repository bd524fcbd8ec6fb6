from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from kiln.domain.bake import BakeStatus
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.errors import AwsRefused, BaseImageNotFound, InvalidBlueprint
from kiln_cli import baking
from kiln_cli.applying import apply_file
from kiln_cli.files import read_any
from kiln_cli.gathering import gather, rollouts
from kiln_cli.ledgers import AccountLedger
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, a_stack, a_version, an_image
from tests.fakes import FakeWorld

TAGS = {"kiln:bake": BAKE, "kiln:managed": "true"}


@dataclass
class FakeStepFunctions:
    """Executions by ARN, each with the statuses that it will have."""

    statuses: dict[str, list[str]] = field(default_factory=dict)
    started: list[dict[str, Any]] = field(default_factory=list)

    def start_execution(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"executionArn": request["name"], "startDate": NOW}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        statuses = self.statuses.get(executionArn)
        if statuses is None:
            error = {"Error": {"Code": "ExecutionDoesNotExist", "Message": "gone"}}
            raise ClientError(error, "DescribeExecution")
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        ended = {} if status == "RUNNING" else {"stopDate": NOW}
        return {"status": status, "startDate": NOW, **ended}

    def get_paginator(self, name: str) -> Any:
        assert name == "get_execution_history"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"events": []}]


@dataclass
class FakePlace:
    """A place on fakes."""

    fakes: FakeWorld = field(default_factory=FakeWorld)
    stepfunctions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    bake_machine: str = "arn:bake"

    @property
    def world(self) -> Any:
        return self.fakes.world

    def execution(self, bake: str) -> str:
        return bake

    def caller(self) -> str:
        return "arn:aws:iam::123456789012:user/ada"

    def client(self, service: str) -> Any:
        assert service == "stepfunctions"
        return self.stepfunctions


class Slept:
    """A pace that only counts."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pace = baking.Pace(self._sleep, lambda: repeat(10.0))

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def place() -> FakePlace:
    return FakePlace()


def a_file(folder: Path, **overrides: Any) -> Path:
    path = folder / "web.yaml"
    path.write_text(yaml.safe_dump(a_document(**overrides)))
    return path


def test_the_pauses_grow_to_a_few_seconds() -> None:
    pauses = list(islice(baking.backing_off(), 20))
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.2, 4.0)


def test_a_bake_is_started_under_its_id_with_the_stored_version(
    place: FakePlace, tmp_path: Path
) -> None:
    path = a_file(tmp_path)
    wanted = baking.wanted_from(str(path), path, place)
    plan = baking.check(wanted, place)
    assert place.world.versions.get("web") is None
    assert baking.start(wanted, plan, place) == plan.bake
    (started,) = place.stepfunctions.started
    assert started["name"] == plan.bake
    assert json.loads(started["input"]) == {"blueprint": "web", "version": 1}
    stored = place.world.versions.get("web")
    assert stored is not None
    assert (stored.number, stored.document) == (1, wanted.document)
    assert stored.author == "arn:aws:iam::123456789012:user/ada"
    assert baking.check(wanted, place).version == 1


def test_a_stored_blueprint_is_baked_by_its_name(place: FakePlace) -> None:
    place.world.versions.add(a_version())
    wanted = baking.wanted_from("web", None, place)
    assert baking.check(wanted, place).blueprint.name == "web"


def test_a_name_that_is_not_stored_is_refused_with_those_that_are(place: FakePlace) -> None:
    place.world.versions.add(a_version())
    with pytest.raises(InvalidBlueprint, match=r"wbe: is no file, .* is not stored; known: web; "):
        baking.wanted_from("wbe", None, place)


def test_a_refusal_names_the_file(place: FakePlace, tmp_path: Path) -> None:
    path = a_file(tmp_path, base={"image": "ami-0000000000000dead"})
    with pytest.raises(BaseImageNotFound) as refused:
        baking.check(baking.wanted_from(str(path), path, place), place)
    assert str(refused.value).startswith(f"{path}: base.image: ami-0000000000000dead")


def test_the_wait_ends_with_the_execution(place: FakePlace) -> None:
    place.stepfunctions.statuses[BAKE] = ["RUNNING", "RUNNING", "FAILED"]
    slept = Slept()
    assert baking.wait(BAKE, place, slept.pace).status == "FAILED"
    assert slept.seconds == 20


def a_rollout(layer: str, status: RolloutStatus) -> Rollout:
    return Rollout(
        id=f"ami-1-{layer}",
        image="ami-1",
        layer=layer,
        strategy="add",
        bake=BAKE,
        platform="amazon-linux-2023",
        architecture="x86_64",
        status=status,
    )


PLAN = a_plan(
    a_document(
        layers=[
            {"layer": "shop/web", "strategy": "add"},
            {"layer": "shop/api", "strategy": "none"},
        ]
    )
)


def test_the_wait_for_rollouts_ends_when_each_has_ended(place: FakePlace) -> None:
    place.world.records.add_rollout(a_rollout("shop/web", RolloutStatus.FAILED))
    slept = Slept()
    baking.wait_for_rollouts(PLAN, "ami-1", place, slept.pace)
    assert slept.seconds == 0


def test_a_rollout_that_never_begins_is_a_failure_that_says_so(place: FakePlace) -> None:
    succeeded(place)
    slept = Slept()
    result = baking.finish(PLAN, place, AccountLedgerOf(place), slept.pace)
    assert 300 < slept.seconds <= 320
    (rollout,) = result.rollouts
    assert (rollout.layer, rollout.status) == ("shop/web", "NOT_STARTED")
    assert not result.succeeded


def succeeded(place: FakePlace) -> None:
    """A bake that has ended well."""
    place.stepfunctions.statuses[BAKE] = ["SUCCEEDED"]
    place.fakes.images.add(an_image(id="ami-1", name="web-1", tags=TAGS))
    place.world.records.add_bake(a_record(PLAN, status=BakeStatus.SUCCEEDED))


class AccountLedgerOf(AccountLedger):
    """The account's ledger without Run Command."""

    def commands(self, bake: str, sent: Any) -> Any:
        return []


def test_the_instances_of_a_rollout_are_those_that_run_its_image(place: FakePlace) -> None:
    records = place.world.records
    records.add_rollout(a_rollout("shop/web", RolloutStatus.SUCCEEDED))
    for number, image in enumerate(("ami-0", "ami-1")):
        records.add_instance(
            LayerInstance(
                id=f"record-{number}",
                stack="shop",
                layers=("web",),
                hostname=f"web{number}",
                state=InstanceState.ONLINE,
                ec2_id=f"i-{number}",
                image=image,
            )
        )
    (found,) = rollouts("ami-1", place.world)
    assert [(i.id, i.state) for i in found.instances] == [("i-1", "online")]


def test_what_is_left_of_a_bake_is_listed_by_its_tag(place: FakePlace) -> None:
    succeeded(place)
    fakes = place.fakes
    fakes.images.add(an_image(id="ami-0", name="half", tags=TAGS, snapshots=()))
    builder = fakes.fleet.add(TAGS | {"kiln:role": "builder"})
    fakes.images.snapshots["snap-1"] = BAKE
    fakes.images.snapshots["snap-2"] = BAKE
    found = AccountLedger(place).leaks(BAKE, {"ami-1"}, kept=False)
    assert [(leak["kind"], leak["id"]) for leak in found] == [
        ("instance", builder),
        ("image", "ami-0"),
        ("snapshot", "snap-2"),
    ]
    kept = AccountLedger(place).leaks(BAKE, {"ami-1"}, kept=True)
    assert "instance" not in [leak["kind"] for leak in kept]


def test_a_bake_whose_execution_is_forgotten_is_told_from_its_record(place: FakePlace) -> None:
    record = a_record(PLAN, status=BakeStatus.FAILED, error="NoCapacity", cause="none", ended=NOW)
    place.world.records.add_bake(record)
    result = gather(place, AccountLedgerOf(place), BAKE)
    assert (result.bake.status, result.bake.error) == ("FAILED", "NoCapacity")
    assert (result.states, result.image, result.makespan_s) == ((), None, 0.0)


def test_a_bake_that_never_was_is_refused(place: FakePlace) -> None:
    with pytest.raises(AwsRefused, match="ExecutionDoesNotExist"):
        gather(place, AccountLedgerOf(place), BAKE)


def test_applying_tells_new_changed_and_unchanged(place: FakePlace, tmp_path: Path) -> None:
    def apply(**overrides: Any) -> tuple[str, int]:
        row = apply_file(read_any(a_file(tmp_path, **overrides)), place.world)
        return row.change, row.version

    assert apply() == ("new", 1)
    assert apply() == ("unchanged", 1)
    assert apply(deadline="2h") == ("changed", 2)


def test_applying_a_stack_replaces_it(place: FakePlace, tmp_path: Path) -> None:
    place.world.groups.a_group("shop-api", "lt-1")
    path = tmp_path / "shop.yaml"
    changes = []
    for custom_json in ({}, {}, {"a": 1}):
        document = a_stack().model_dump(mode="json") | {"custom_json": custom_json}
        path.write_text(json.dumps(document))
        changes.append(apply_file(read_any(path), place.world).change)
    assert changes == ["new", "unchanged", "changed"]
    assert place.world.records.stack("shop").custom_json == {"a": 1}
