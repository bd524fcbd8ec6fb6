"""Running a case, and judging what came of it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.naming import bake_id
from kiln.wiring import world
from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.faults.cases import Case, Occasion

ROOT = Path(__file__).parents[2]
SPEED = 300
# Real seconds: a bake takes two, a minute's throttling a fifth of one.
_PATIENCE_S = 60.0
_SERVICES = ("ec2", "ssm", "dynamodb", "s3", "stepfunctions", "lambda")
_NEVER = 999_999
BLUEPRINT: dict[str, Any] = {
    "kind": "blueprint",
    "platform": "debian-12",
    "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    "builder": {"instance_types": ["m7i.large"]},
    "steps": [{"name": "tune", "shell": "true"}],
    "verify": {"steps": [{"name": "is there", "shell": "true"}]},
    "distribute": {"parameter": "/images/case"},
}


@dataclass(frozen=True)
class Verdict:
    """What came of a case: `survived`, `failed` with a true reason, `fell` though it had to
    survive, `leaked`, `lied`, or `missed` where the fault did not act; `why` says more of all but
    the first two."""

    case: str
    outcome: str
    why: str = ""


class Trials:
    """One local AWS in which one bake after another goes wrong."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._machine = aws.outputs["BakeStateMachineArn"]
        self._client = aws.session().client("stepfunctions")
        self._numbers = itertools.count(1)

    def occasions(self) -> list[Occasion]:
        """What an undisturbed bake does in the states of its machine, each thing once."""
        seen: dict[Occasion, None] = {}
        faults = self._aws.faults
        due = faults.due

        def spy(occasion: Any, effects: Any = ()) -> Any:
            scene = occasion.scene
            if scene.machine == "bake" and scene.state and occasion.kind in ("call", "invocation"):
                seen[Occasion(occasion.kind, occasion.service, occasion.operation, scene.state)] = (
                    None
                )
            return due(occasion, effects)

        never = [{"service": s, "operation": "*", "delay_s": 1, "nth": _NEVER} for s in _SERVICES]
        never[-1]["operation"] = "Invoke"
        faults.use(faults_from(never, ROOT))
        faults.due = spy  # type: ignore[method-assign]
        try:
            bake = self._bake()
        finally:
            del faults.due
            faults.use(())
        record = self._ended(bake)
        assert record.status is BakeStatus.SUCCEEDED, f"{record.error}: {record.cause}"
        return list(seen)

    def run(self, case: Case) -> Verdict:
        """A bake with the case's fault, then one sweep, and what there is afterwards."""
        self._aws.faults.use(faults_from([case.fault], ROOT))
        try:
            bake = self._bake()
            acted = any(row["fired"] for row in self._aws.faults.report())
        finally:
            self._aws.faults.use(())
        try:
            return self._judge(case, bake, acted)
        finally:
            # Hundreds of images are more than the memory of a laptop holds.
            for image in world().images.of_bake(bake):
                world().images.deregister(image.id)

    # ------------------------------------------------------------ a bake

    def _bake(self) -> str:
        """Start a bake and wait for the end of its execution; its id."""
        name = f"case-{next(self._numbers)}"
        bake = bake_id(name, self._aws.clock.now(), name)
        arn = self._client.start_execution(
            stateMachineArn=self._machine,
            name=bake,
            input=json.dumps({"blueprint": BLUEPRINT | {"name": name}}),
        )["executionArn"]
        _until(lambda: self._status(arn) != "RUNNING")
        return bake

    def _status(self, arn: str) -> str:
        return str(self._client.describe_execution(executionArn=arn)["status"])

    def _ended(self, bake: str) -> BakeRecord:
        """Its record, once it is ended: by Teardown, or by the event of its execution's end."""
        _until(lambda: (found := world().records.bake(bake)) is None or found.ended is not None)
        found = world().records.bake(bake)
        assert found is not None, f"{bake} has no record"
        return found

    # ------------------------------------------------------------ the judge

    def _judge(self, case: Case, bake: str, acted: bool) -> Verdict:
        arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{bake}"
        told = self._client.describe_execution(executionArn=arn)
        record = world().records.bake(bake)
        if record is not None and not _comes(lambda: bool(_ended_now(bake))):
            return Verdict(case.name, "lied", f"{bake} is {told['status']}, its record RUNNING")
        record = world().records.bake(bake)
        left = self._left(bake, record)
        if left:
            return Verdict(case.name, "leaked", f"{bake}: {left}")
        if not acted:
            return Verdict(case.name, "missed", f"{bake} is {told['status']}")
        return self._reason(case, bake, told, record)

    def _reason(
        self, case: Case, bake: str, told: dict[str, Any], record: BakeRecord | None
    ) -> Verdict:
        image = record.image if record else None
        good = image is not None and world().records.image(image) is not None
        succeeded = record is not None and record.status is BakeStatus.SUCCEEDED
        if succeeded:
            there = {found.id for found in world().images.of_bake(bake)}
            if not good or there != {image}:
                return Verdict(case.name, "lied", f"{bake} SUCCEEDED with {image} of {there}")
            return Verdict(case.name, "survived")
        error = (record.error if record else told.get("error")) or ""
        said = f"{error}: {(record.cause if record else told.get('cause')) or ''}"
        if not case.reasons:
            return Verdict(case.name, "fell", f"{bake}: {said}")
        if not any(word in said for word in case.reasons):
            return Verdict(case.name, "lied", f"{bake}: {said}")
        return Verdict(case.name, "failed")

    def _left(self, bake: str, record: BakeRecord | None) -> list[Any]:
        """What is left behind once one sweep has run; an image that is recorded may stay."""
        image = record.image if record else None
        good = image if image and world().records.image(image) else None
        # What was under way when an execution was stopped comes to its end first.
        self._aws.clock.sleep(90)
        if self._aws.leaks(bake, good):
            function = self._aws.outputs["SweepFunctionName"]
            self._aws.session().client("lambda").invoke(
                FunctionName=function, Payload=b'{"grace_s": 0}'
            )
        turn = world().turns.line().of(bake)
        return [*self._aws.leaks(bake, good), *([turn] if turn else [])]


def _ended_now(bake: str) -> BakeRecord | None:
    found = world().records.bake(bake)
    return found if found and found.ended else None


def _comes(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _until(true: Callable[[], bool]) -> None:
    assert _comes(true, _PATIENCE_S), "a bake has not come to its end"


@contextmanager
def trials() -> Iterator[Trials]:
    """A local AWS for cases."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        yield Trials(aws)
