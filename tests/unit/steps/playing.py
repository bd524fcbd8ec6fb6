"""The state machines of layers, played on the fakes: each step as its machine calls it.

What AWS does meanwhile is done at once: instances run, agents answer, commands succeed, unless a
test says otherwise. The machines themselves run in the local AWS's tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kiln.domain.failure import Failure
from kiln.domain.instance import Initiator, InstanceState, LayerInstance
from kiln.domain.waiting import Wait
from kiln.errors import BuilderUnreachable, KilnError
from kiln.ports import ExecutionFacts, StepResult
from kiln.steps._instances import change_instance
from kiln.steps._looking import look
from kiln.steps.begin_change import BeginChange, begin_change
from kiln.steps.begin_round import BeginRound, begin_round
from kiln.steps.end_change import EndChange, end_change
from kiln.steps.end_round import EndRound, InstanceConfigured, end_round
from kiln.steps.enter_service import EnterService, enter_service
from kiln.steps.leave_service import LeaveService, leave_service
from kiln.steps.mark_instance import MarkInstance, mark_instance
from kiln.steps.run_recipes import RunRecipes, run_recipes
from kiln.steps.start_instance import StartInstance, start_instance
from kiln.steps.stop_instance import StopInstance, stop_instance
from tests.fakes import FakeWorld

SCRIPT = StepResult("recipes", "Failed", 3, "", "no such package")
WELL = StepResult("recipes", "Success", 0, "all is well\n", "")


def failure_of(error: KilnError) -> Failure:
    return Failure(error=type(error).__name__, cause=str(error))


@dataclass
class Player:
    """Plays executions as they are started. Commands whose label is in `failing` fail; with
    `hanging` a system does not stop unless it is forced, with `unreachable` no agent comes up."""

    fake: FakeWorld
    failing: set[str] = field(default_factory=set)
    well: StepResult = WELL
    hanging: bool = False
    unreachable: bool = False
    played: set[str] = field(default_factory=set)
    errors: dict[str, Failure] = field(default_factory=dict)

    def add(self, name: str, **known: Any) -> LayerInstance:
        """A stopped instance of shop/web."""
        entry = LayerInstance(
            **{
                "id": f"{name}-0000000",
                "stack": "shop",
                "layers": ("web",),
                "hostname": name,
                "state": InstanceState.STOPPED,
                "image": "ami-0000000000000ba5e",
                "platform": "amazon-linux-2023",
            }
            | known
        )
        self.fake.records.add_instance(entry)
        return entry

    def now(self, entry: LayerInstance) -> LayerInstance:
        """The record as it is."""
        found = self.fake.records.instance(entry.stack, entry.id)
        assert found is not None
        return found

    def change(self, entry: LayerInstance, change: str, by: Initiator = "user") -> str:
        """Start a change and play it to its end; the name of its error, or nothing."""
        name = change_instance(self.now(entry), change, self.fake.world, by)
        return self.instance(name)

    def run(self) -> None:
        """Play every execution that was started, and those that they start."""
        while True:
            new = [name for name in self.fake.machines.started if name not in self.played]
            if not new:
                return
            for name in new:
                payload = self.fake.machines.started[name]
                if "instance" in payload:
                    self.instance(name)
                elif "stack" in payload:
                    self.rounds(name, payload["stack"])
                else:
                    self.played.add(name)

    # ------------------------------------------------------------ instance.asl.yaml

    def instance(self, name: str) -> str:
        """One change of an instance."""
        self.played.add(name)
        payload = self.fake.machines.started[name]
        who = {"stack": payload["stack"], "instance": payload["instance"]}
        failure = None
        try:
            self._change(who, payload, name)
        except KilnError as error:
            failure = self.errors[name] = failure_of(error)
            self.fake.machines.ended[name] = ExecutionFacts("FAILED", failure.error, failure.cause)
        request = EndChange(
            **who,
            change=payload["change"],
            execution=name,
            failure=failure,
            deployment=payload.get("deployment"),
            events=payload.get("events", ()),
            hook=payload.get("hook"),
        )
        end_change(request, self.fake.world)
        self.fake.machines.over.add(name)
        return failure.error if failure else ""

    def _change(self, who: dict[str, str], payload: dict[str, Any], name: str) -> None:
        world = self.fake.world
        asked = {key: payload[key] for key in ("change", "by", "rollout") if key in payload}
        begun = begin_change(BeginChange(**who, **asked, execution=name), world)
        if begun.path == "heal":
            self._heal(who, name)
        if begun.path in ("start", "heal"):
            self._launch(who, name)
        if begun.path == "setup":
            leave_service(LeaveService(**who), world)
        if begun.path in ("start", "setup", "heal"):
            mark_instance(MarkInstance(**who, state="running_setup"), world)
            self.recipes(who, ["setup", "deploy"], name, payload.get("deployment"))
            enter_service(EnterService(**who), world)
        if begun.path == "run":
            self.recipes(who, payload["events"], name, payload["deployment"])
        if begun.path == "reboot":
            rebooting = RunRecipes(**who, events=(), at=0, execution=name, reboot=True)
            self.end(run_recipes(rebooting, world).wait)
        if begun.path in ("stop", "delete"):
            self._stop(who, name, begun.path == "delete")

    def _launch(self, who: dict[str, str], name: str) -> None:
        world = self.fake.world
        started = start_instance(StartInstance(**who, execution=name), world)
        known = self.fake.fleet.instances[started.ec2_id]
        self.fake.fleet.instances[started.ec2_id] = replace(
            known, state="running", private_ip=f"10.0.0.{len(self.fake.fleet.instances)}"
        )
        mark_instance(MarkInstance(**who, state="booting"), world)
        if self.unreachable:
            raise BuilderUnreachable(f"{started.ec2_id} was not online")
        self.fake.commands.agents.add(started.ec2_id)
        self.fake.agents.answering.add(started.ec2_id)

    def _stop(self, who: dict[str, str], name: str, delete: bool) -> None:
        world = self.fake.world
        if not delete:
            leave_service(LeaveService(**who), world)
            mark_instance(MarkInstance(**who, state="shutting_down"), world)
            try:
                self.recipes(who, ["shutdown"], name)
            except KilnError as error:
                self.errors[f"{name} shutdown"] = failure_of(error)
        stops = stop_instance(StopInstance(**who, execution=name, terminate=delete), world)
        if stops.wait:
            gone = stops.wait.kind == "instance-gone"
            self.fake.fleet.become(stops.wait.instance, "terminated" if gone else "stopped")
            self.end(stops.wait)

    def _heal(self, who: dict[str, str], name: str) -> None:
        """As CanDrain, CanShutDown, CanForce and StartsAgain lead."""
        world = self.fake.world
        leave_service(LeaveService(**who), world)
        mark_instance(MarkInstance(**who, state="shutting_down"), world)
        for force in (False, True):
            request = StopInstance(**who, execution=name, heal=True, force=force)
            stops = stop_instance(request, world)
            if stops.wait and not (self.hanging and not force):
                gone = stops.wait.kind == "instance-gone"
                self.fake.fleet.become(stops.wait.instance, "terminated" if gone else "stopped")
                self.end(stops.wait)
            if not self.hanging:
                break
        for _ in range(2):
            mark_instance(MarkInstance(**who, state="requested"), world)

    def recipes(
        self, who: dict[str, str], events: Any, name: str, deployment: str | None = None
    ) -> None:
        """All commands of lifecycle events, one after the other."""
        at = 0
        while True:
            request = RunRecipes(**who, events=events, at=at, execution=name, deployment=deployment)
            ran = run_recipes(request, self.fake.world)
            if ran.wait is None:
                return
            assert run_recipes(request, self.fake.world) == ran
            self.end(ran.wait)
            at = ran.at

    def end(self, wait: Any) -> None:
        """Let what is waited for happen."""
        waited: Wait = wait
        if waited.kind == "command-done":
            bad = any(text in waited.label for text in self.failing)
            self.fake.commands.end(
                waited.command, *(("Failed", SCRIPT) if bad else ("Success", self.well))
            )
        assert look(waited, self.fake.world) is not None

    # ------------------------------------------------------------ configure.asl.yaml

    def rounds(self, name: str, stack: str) -> None:
        """Configure, round after round."""
        self.played.add(name)
        first, world = True, self.fake.world
        since = self.fake.clock.now().isoformat()
        while True:
            request = BeginRound(stack=stack, execution=name, first=first, since=since)
            begun = begin_round(request, world)
            if begun.path != "run":
                self.fake.machines.over.add(name)
                return
            assert begin_round(request, world) == begun
            results = tuple(
                self._configured(stack, one, name, begun.round) for one in begun.instances
            )
            for _ in range(2):
                end_round(EndRound(stack=stack, round=begun.round, results=results), world)
            first = False

    def _configured(self, stack: str, instance: str, name: str, number: int) -> InstanceConfigured:
        try:
            who = {"stack": stack, "instance": instance}
            self.recipes(who, ["configure"], f"{name}/{number}")
        except KilnError as error:
            return InstanceConfigured(instance=instance, failure=failure_of(error))
        return InstanceConfigured(instance=instance)
