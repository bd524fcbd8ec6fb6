"""What Kiln promises, watched while anything happens in one account: bakes, rollouts, and whatever
goes wrong meanwhile. docs/faults.md lists the promises."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.healing import PAUSES, next_heal
from kiln.domain.instance import InstanceState
from kiln.domain.naming import bake_id
from kiln.domain.rollout import RolloutStatus
from kiln_local.clock import Steady
from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.faults.ground import ROOT
from tests.faults.kinds import Fault
from tests.faults.rollouts import PLATFORM, SIZE, Rollouts

BASE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
BLUEPRINT: dict[str, Any] = {
    "kind": "blueprint",
    "platform": PLATFORM,
    "base": {"parameter": BASE},
    "builder": {"instance_types": ["m7i.large"]},
    "steps": [{"name": "tune", "shell": "true"}],
    "verify": {"steps": [{"name": "serves", "shell": "true"}]},
}
# What a blueprint's name begins with says how its bakes differ.
KINDS = ("plain", "spoiled", "followed")
_SPOILED = {"verify": {"steps": [{"name": "serves", "shell": "exit 3"}]}}
_GONE = ("shutting-down", "terminated")


class Account:
    """One account from one schedule to the next. `schedule` is what was done in this one, `broken`
    the promises that were."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.ground = Rollouts(aws)
        self.schedule: list[str] = []
        self.broken: list[str] = []
        self._numbers = itertools.count(1)
        self._announced: list[dict[str, Any]] = []
        aws.ec2.watchers.append(self._look_at_launch)
        put = aws._events.put

        def heard(entry: dict[str, Any]) -> None:
            put(entry)
            self._hear(entry)

        aws._events.put = heard  # type: ignore[method-assign]

    # ------------------------------------------------------------ a schedule

    def open(self) -> None:
        """A schedule begins: nobody has touched the layer, nothing goes wrong yet."""
        self.schedule, self.broken, self._announced = [], [], []
        self.number = next(self._numbers)
        self.bakes: list[str] = []
        self.images: list[str] = []
        self.excused = False
        # One that was healed in a schedule before would be healed later in this one.
        healed = any(entry.healed_at for entry in self.ground.entries())
        if not self.ground._layer or healed or self.ground.flaws():
            self.ground.renew()
        self.ground.service.begin(self.ground._layer)
        self._base = self._describe_base()

    def did(self, what: str) -> None:
        """Write down what was done, and look at what must hold at every moment."""
        self.schedule.append(f"{self.aws.clock.seconds():9.1f}  {what}")
        for bake in self.bakes:
            images = self.ground.kiln.images.of_bake(bake)
            if len(images) > 1:
                self.broken.append(f"{bake} has made {len(images)} images")

    def close(self) -> None:
        """Let everything end, sweep once, and look at what must hold then."""
        self.aws.faults.use(())
        self.ground.quiet("")
        self._await_records()
        self._await_healing()
        self.ground.sweep()
        self.ground.quiet("")
        self.did("all has ended, and one sweep has run")
        for bake in self.bakes:
            self._look_at_bake(bake)
        self._look_at_layer()
        if self._describe_base() != self._base:
            self.broken.append("the base image is another one")
        self._clear()

    def _await_records(self) -> None:
        """Events that were late arrive, and what Lambda tries again was tried."""
        self.aws.clock.sleep(300)
        self.ground.settle()

    def _await_healing(self) -> None:
        """Who is lost again is healed once the pause after its last heal is over."""
        for _ in range(len(PAUSES) * SIZE):
            lost = (e for e in self.ground.entries() if e.state is InstanceState.CONNECTION_LOST)
            due = [moment for entry in lost if (moment := next_heal(entry))]
            if not due:
                return
            left = (min(due) - self.ground.kiln.clock.now()).total_seconds()
            # A tick of the clock that heals, and the heal.
            self.aws.clock.sleep(max(left, 0) + 180)
            self.ground.quiet("")

    def _clear(self) -> None:
        for bake in self.bakes:
            serve = {entry.image for entry in self.ground.entries()}
            for image in self.ground.kiln.images.of_bake(bake):
                if image.id not in serve:
                    self.ground.kiln.images.deregister(image.id)

    # ------------------------------------------------------------ what is done

    def bake(self, kind: str) -> str:
        """Start a bake of the schedule's blueprint of a kind."""
        name = f"{kind}-{self.number}"
        bake = bake_id(name, self.aws.clock.now(), f"{name}-{next(self._numbers)}")
        more: dict[str, Any] = {"name": name}
        if kind == "spoiled":
            more |= _SPOILED
        if kind == "followed":
            more["layers"] = [{"layer": self.ground.layer, "strategy": "replace"}]
        self.ground.start("bake", bake, {"blueprint": BLUEPRINT | more, "force": True})
        self.bakes.append(bake)
        return bake

    def roll_out(self) -> str:
        """Announce a new image for the layer."""
        image = self.ground.image()
        self.ground.announce(image)
        self.images.append(image)
        return image

    def go_wrong(self, fault: Fault) -> None:
        """From now on this may go wrong too."""
        self.aws.faults.add(faults_from([fault], ROOT))

    def end_execution(self, number: int, how: str) -> str:
        """End one of the executions that are under way as somebody else would."""
        running = sorted(self.aws.executions.under_way)
        if not running:
            return "none"
        arn = running[number % len(running)]
        if how == "stop":
            self.ground.states.stop_execution(executionArn=arn)
        else:
            self.aws.executions.time_out(self.aws.executions.execution(arn))
        return arn.rpartition(":")[2]

    def terminate(self, number: int) -> str:
        """Terminate one of Kiln's instances as somebody else would."""
        running = sorted(
            instance.id
            for instance in self.aws.ec2.backend.all_instances()
            if instance._state.name == "running" and self.aws.ec2.tags(instance).get("kiln:managed")
        )
        if not running:
            return "none"
        name = running[number % len(running)]
        # Fewer may serve until healing has seen to it.
        self.excused = self.excused or name in {e.ec2_id for e in self.ground.entries()}
        self.aws.agents.die(name)
        return name

    # ------------------------------------------------------------ what is watched

    def _look_at_launch(self, instance: Any, state: str) -> None:
        """One bake of a blueprint at a time: no builder beside one of a bake that still runs."""
        tags = self.aws.ec2.tags(instance)
        if state != "pending" or tags.get("kiln:role") != "builder":
            return
        running = {arn.rpartition(":")[2] for arn in self.aws.executions.under_way}
        for other in self.aws.ec2.backend.all_instances():
            known = self.aws.ec2.tags(other)
            same = known.get("kiln:blueprint") == tags.get("kiln:blueprint")
            alive = other._state.name not in _GONE and known.get("kiln:bake") in running
            if same and alive and known["kiln:bake"] != tags.get("kiln:bake"):
                self.broken.append(f"{known['kiln:bake']} and {tags['kiln:bake']} bake at once")

    def _hear(self, entry: dict[str, Any]) -> None:
        detail = json.loads(entry["Detail"]) | {"type": entry["DetailType"]}
        self._announced.append(detail)
        spoiled = str(detail.get("blueprint", "")).startswith("spoiled")
        if detail["type"] == "Image Available" and spoiled:
            self.broken.append(f"{detail['bake']} is announced, and has failed its verification")

    def _describe_base(self) -> Any:
        ec2, base = self.ground.outside.ec2, self.ground.outside.base
        return ec2.describe_images(ImageIds=[base])["Images"]

    # ------------------------------------------------------------ what must hold at the end

    def _look_at_bake(self, bake: str) -> None:
        record = self.ground.kiln.records.bake(bake)
        turn = self.ground.kiln.turns.line().of(bake)
        image = record.image if record else None
        good = image if image and self.ground.kiln.records.image(image) else None
        left = self.aws.leaks(bake, good)
        if left:
            self.broken.append(f"{bake} has left {left}")
        if turn:
            self.broken.append(f"{bake} has its turn still")
        if record is None:
            self._look_at_unplanned(bake)
            return
        self.broken += self._wrong(bake, record, good)

    def _look_at_unplanned(self, bake: str) -> None:
        told = self.ground.told("bake", bake)
        if told["status"] not in ("FAILED", "ABORTED", "TIMED_OUT"):
            self.broken.append(f"{bake} is {told['status']} and has no record")

    def _wrong(self, bake: str, record: BakeRecord, good: str | None) -> Iterator[str]:
        if record.ended is None:
            yield f"{bake} is over, its record says {record.status}"
        if record.status is BakeStatus.FAILED and not (record.error and record.cause):
            yield f"{bake} has failed, and does not say why: {record.error}: {record.cause}"
        if record.status is BakeStatus.SUCCEEDED:
            if good is None:
                yield f"{bake} has succeeded without an image"
            if bake.startswith("spoiled"):
                yield f"{bake} has succeeded, and its image has failed its verification"
        if record.status is BakeStatus.FAILED and not self._is_told(bake):
            yield f"{bake} has failed, and nobody was told"

    def _is_told(self, bake: str) -> bool:
        return any(e["type"] == "Bake Failed" and e["bake"] == bake for e in self._announced)

    def _look_at_layer(self) -> None:
        rollouts = self.ground.kiln.records.rollouts_of(self.ground.layer)
        for rollout in rollouts:
            if rollout.status is RolloutStatus.RUNNING:
                self.broken.append(f"{rollout.id} is over, its record says RUNNING")
            if rollout.status is RolloutStatus.FAILED and not (rollout.error and rollout.cause):
                self.broken.append(f"{rollout.id} has failed, and does not say why")
        flaws = self.ground.flaws()
        said = any("is not as it was" in (rollout.cause or "") for rollout in rollouts)
        if flaws and not said:
            self.broken.append(f"layer {self.ground.layer}: {flaws}")
        if self.ground.service.fewest < SIZE and not self.excused:
            self.broken.append(
                f"{self.ground.service.fewest} of {self.ground.layer} were in service"
            )
        begun = [e["rollout"] for e in self._announced if e["type"] == "Rollout Started"]
        for image in self.images:
            if sum(image in name for name in set(begun)) > 1:
                self.broken.append(f"{image} has been rolled out more than once")


@contextmanager
def an_account() -> Iterator[Account]:
    """An account in a local AWS of its own."""
    with LocalAws(ROOT, speed=Steady(3000)) as aws:
        yield Account(aws)
