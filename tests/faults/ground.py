"""What all grounds share: a local AWS in which one thing after another goes wrong, what an
undisturbed run does, how a case is run, and the words of a verdict.

Time here is the local AWS's, and steady: how busy this machine is changes no verdict.
"""

from __future__ import annotations

import itertools
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln.ports import World
from kiln.wiring import world
from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.faults.cases import Case, Occasion

ROOT = Path(__file__).parents[2]
_SERVICES = (
    *("ec2", "ssm", "dynamodb", "s3", "stepfunctions", "sqs", "sns", "kms", "sts", "cloudwatch"),
    *("autoscaling", "elbv2", "events", "lambda"),
)
_NEVER = 999_999
# Simulated seconds: longer than any wait of what is tried here, which has deadlines of four hours,
# and what is a moment to it.
_LONGEST_S, MOMENT_S = 36 * 3600.0, 15.0
# Real seconds: what works and never waits lets no time pass.
_PATIENCE_S = 300.0
# Events of what is counted over all runs.
_OF_OTHERS = frozenset({"CloudWatch Alarm State Change"})
# What goes on by itself, whatever is tried.
_BESIDE = frozenset({"tend_instances", "sweep", "follow_bases", "prune_images"})


@dataclass(frozen=True)
class Verdict:
    """What came of a case: `survived`, `failed` with a true reason, `fell` though it had to
    survive, `leaked`, `lied`, or `missed` where the fault did not act; `why` says more of all but
    the first two."""

    case: str
    outcome: str
    why: str = ""

    def of(self, case: str, acted: bool) -> Verdict:
        """The same of one of several cases, which has acted or has not."""
        if not acted and self.outcome in ("survived", "failed", "fell"):
            return Verdict(case, "missed", f"{self.outcome} {self.why}")
        return Verdict(case, self.outcome, self.why)


def bundle(together: Sequence[Case]) -> Case:
    """Several cases as one that must be survived."""
    return Case(f"{together[0].ground}/+/+/{len(together)}", {}, ())


class Unended(Exception):
    """Something has not come to its end."""


class Ground(ABC):
    """One local AWS in which one run after another goes wrong."""

    name: str
    machines: tuple[str, ...]
    # A run that is to fail of itself, so that its way back is seen, fails with one of these words.
    fails: tuple[str, ...] = ()

    # How often it is looked whether a run has come to its end.
    looks = 40

    # Of all grounds of a process: what one that was given up has made keeps its name.
    numbers = itertools.count(1)

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.states = aws.session().client("stepfunctions")

    @property
    def kiln(self) -> World:
        """What Kiln's own functions see."""
        return world()

    # ------------------------------------------------------------ what a ground does

    @abstractmethod
    def prepare(self) -> None:
        """Make what a run starts from, before anything goes wrong."""

    @abstractmethod
    def begin(self) -> str:
        """Start a run; its name."""

    @abstractmethod
    def is_over(self, run: str) -> bool:
        """Whether a run has come to its end, as far as its record says."""

    @abstractmethod
    def judge(self, case: Case, run: str) -> Verdict:
        """What came of it, once everything is quiet."""

    @abstractmethod
    def clear(self, run: str) -> None:
        """Take away what a run has rightly left."""

    # ------------------------------------------------------------ a run

    def occasions(self) -> list[Occasion]:
        """What an undisturbed run does, each thing once, in its order."""
        seen: dict[Occasion, None] = {}
        never = [{"service": s, "operation": "*", "delay_s": 1, "nth": _NEVER} for s in _SERVICES]
        never[-1]["operation"] = "Invoke"
        faults, due = self.aws.faults, self.aws.faults.due

        def spy(occasion: Any, effects: Any = ()) -> Any:
            if occasion.kind != "state" and self._is_ours(occasion):
                seen[_noted(occasion)] = None
            return due(occasion, effects)

        self.prepare()
        faults.use(faults_from(never, ROOT))
        faults.due = spy  # type: ignore[method-assign]
        try:
            run = self.begin()
            self.quiet(run)
        finally:
            del faults.due
            faults.use(())
        verdict = self.judge(Case(f"{self.name}/-/-/undisturbed", {}, ()), run)
        self.clear(run)
        assert verdict.outcome == "survived", verdict
        return list(seen)

    def _is_ours(self, occasion: Any) -> bool:
        scene = occasion.scene
        if occasion.operation in _OF_OTHERS:
            return False
        if scene.state:
            return scene.machine in self.machines
        return bool(occasion.function) and occasion.function not in _BESIDE

    def run(self, together: Sequence[Case]) -> list[Verdict]:
        """A run with the faults of some cases, and what there is afterwards: at once, else after
        one sweep. Only cases that must be survived go together."""
        self.prepare()
        self.aws.faults.use(faults_from([case.fault for case in together], ROOT))
        try:
            run = self.begin()
            self.quiet(run)
            acted = [bool(row["fired"]) for row in self.aws.faults.report()]
        finally:
            self.aws.faults.use(())
        verdict = self._judged(together[0] if len(together) == 1 else bundle(together), run)
        return [verdict.of(case.name, fired) for case, fired in zip(together, acted, strict=True)]

    def _judged(self, case: Case, run: str) -> Verdict:
        verdict = self.judge(case, run)
        if verdict.outcome in ("leaked", "lied"):
            self.sweep()
            self.quiet(run)
            verdict = self.judge(case, run)
        self.clear(run)
        return verdict

    def sweep(self) -> None:
        """One sweep, which finds whatever is there."""
        function = self.aws.outputs["SweepFunctionName"]
        client = self.aws.session().client("lambda")
        client.invoke(FunctionName=function, Payload=b'{"grace_s": 0}')

    def ended(self, case: Case, said: str) -> Verdict:
        """The verdict on a run that has failed with these words and left nothing."""
        if any(word in said for word in self.fails):
            return Verdict(case.name, "survived")
        if not case.reasons:
            return Verdict(case.name, "fell", said)
        true = any(word in said for word in case.reasons)
        return Verdict(case.name, "failed" if true else "lied", said)

    # ------------------------------------------------------------ time

    def quiet(self, run: str) -> None:
        """Wait until a run has ended and nothing is under way any more; for some minutes at least,
        in which what was late arrives, and what Lambda tries again was tried."""
        self.settle()
        for _ in range(self.looks):
            if self.is_over(run):
                break
            self.aws.clock.sleep(MOMENT_S)
            self.settle()
        # What was under way when an execution was stopped comes to its end.
        self.aws.clock.sleep(90)
        self.settle()

    def settle(self) -> None:
        """Wait until no execution is under way."""
        begun, real = self.aws.clock.seconds(), time.monotonic()
        self.aws.clock.sleep(MOMENT_S)
        while under_way := self.aws.executions.under_way:
            passed = self.aws.clock.seconds() - begun
            if passed > _LONGEST_S or time.monotonic() - real > _PATIENCE_S:
                raise Unended(f"after {passed / 3600:.1f} hours: {under_way}")
            self.aws.clock.sleep(MOMENT_S)

    def start(self, machine: str, name: str, given: dict[str, Any]) -> None:
        """Start an execution of a machine."""
        arn = self.aws.outputs[f"{machine.title()}StateMachineArn"]
        self.states.start_execution(stateMachineArn=arn, name=name, input=json.dumps(given))

    def told(self, machine: str, name: str) -> dict[str, Any]:
        """An execution as Step Functions tells of it."""
        arn = self.aws.outputs[f"{machine.title()}StateMachineArn"]
        of = f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        return dict(self.states.describe_execution(executionArn=of))


def _noted(occasion: Any) -> Occasion:
    scene = occasion.scene
    if occasion.kind == "event" or not scene.state:
        return Occasion(
            occasion.kind, occasion.service, occasion.operation, function=occasion.function
        )
    return Occasion(occasion.kind, occasion.service, occasion.operation, scene.machine, scene.state)
