"""Bakes that take turns, on the fakes: each step as the bake's state machine calls it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus, ImageRecord
from kiln.domain.failure import Failure
from kiln.ports import ExecutionFacts
from kiln.steps.await_resource import AwaitResource, await_resource
from kiln.steps.plan_bake import BakePlanned, PlanBake, plan_bake
from kiln.steps.teardown import Teardown, teardown
from tests.builders import NOW
from tests.fakes import FakeWorld


def order(blueprint: Any, second: int, **request: Any) -> PlanBake:
    """What the machine asks with: an execution that began so many seconds later than others."""
    execution = f"by-hand-{second}"
    return PlanBake(
        request={"blueprint": blueprint, **request},
        execution=execution,
        started=NOW + timedelta(seconds=second),
    )


def planned(fake: FakeWorld, asked: PlanBake) -> BakePlanned:
    """PlanBake in a running execution."""
    fake.machines.started[asked.execution] = {}
    return plan_bake(asked, fake.world)


def waits(fake: FakeWorld, asked: PlanBake, wait_s: int | None = None) -> str:
    """AwaitTurn after PlanBake; its token."""
    answer = planned(fake, asked)
    assert answer.verdict == "wait"
    wait = {
        "kind": "turn",
        "bake": answer.bake,
        "execution": asked.execution,
        "asked": answer.asked,
        "since": asked.started.isoformat(),
        "timeout_s": answer.wait_s if wait_s is None else wait_s,
    }
    token = f"token of {answer.bake}"
    request = AwaitResource.model_validate({"wait": wait, "state": "AwaitTurn", "token": token})
    await_resource(request, fake.world)
    return token


def ended(fake: FakeWorld, asked: PlanBake, failure: Failure | None = None) -> Any:
    """Teardown, then the execution's end."""
    answer = teardown(Teardown(bake=asked.execution, failure=failure, asked=asked), fake.world)
    fake.machines.over.add(asked.execution)
    return answer


def status(fake: FakeWorld, answer: BakePlanned) -> BakeStatus:
    record = fake.records.bake(answer.bake)
    assert record is not None
    return record.status


def image_of(record: BakeRecord, **changes: Any) -> ImageRecord:
    """What a bake has made."""
    plan = record.plan
    values: dict[str, Any] = {
        "id": "ami-00000000000000aa",
        "name": plan.image_name,
        "bake": plan.bake,
        "blueprint": plan.blueprint.name,
        "version": plan.version,
        "platform": plan.blueprint.platform,
        "architecture": "x86_64",
        "root_device": "ebs",
        "base": plan.base.id,
        "region": "eu-west-1",
        "created": NOW,
        "announced": NOW,
        "fingerprint": plan.fingerprint,
    }
    return ImageRecord(**(values | changes))


def after(fake: FakeWorld, asked: PlanBake, status: str = "ABORTED") -> Any:
    """Teardown from outside, when an execution is over."""
    fake.machines.over.add(asked.execution)
    fake.machines.ended[asked.execution] = ExecutionFacts(status)
    return teardown(Teardown(bake=asked.execution, ended=True), fake.world)
