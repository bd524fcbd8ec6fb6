"""Executions that somebody stops, many at once: what the tests of that share.

What is stopped at one state stands in a stack, an instance or an image of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiln.domain.configure import covered
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.domain.stack import stack_from
from kiln.steps._hooks import put_hooks
from kiln.steps._instances import change_instance
from kiln.steps._rollouts import begin_by_hand
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.e2e.layers import Layers
from tests.e2e.running import ROOT
from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import until

S = InstanceState
RECIPES = {event: ["true"] for event in ("setup", "configure", "shutdown")}
STOPPED = "was stopped from outside (ABORTED)"
FAR = "us-east-1"
# Stopped before their function is called; of any other, while it is under way.
AT_ONCE = ("StopInstance", "FinishRollout", "EndChange", "EndRound", "Announce")


def a_stop(machine: str, state: str, execution: str, nth: int = 1) -> dict[str, Any]:
    """Somebody stops an execution as it enters a state for the n-th time, or a moment later."""
    when = {"machine": machine, "state": state, "execution": execution}
    at_once = state.startswith("Await") or state in AT_ONCE
    late = {} if at_once else {"delay_s": 0.5}
    return {"act": "stop-execution", "when": when, "nth": nth, **late}


def a_failure(state: str, execution: str, nth: int = 1) -> dict[str, Any]:
    """What a state of a rollout waits for fails at the n-th heartbeat, and it goes back."""
    when = {"machine": "rollout", "state": state, "execution": execution}
    await_ = {"service": "lambda", "operation": "Invoke", "function": "await_resource"}
    return {**await_, "when": when, "error": "denied", "nth": nth, "times": "always"}


class Ground:
    """The local AWS of all tests, and the faults of the one that runs."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.shop = Layers(aws)
        self.kiln = self.shop.kiln
        self.groups: dict[str, Crowd] = {}
        self.targets = self.shop.outside.a_target_group("web")

    def use(self, *faults: dict[str, Any]) -> None:
        """Let these go wrong from now on, and nothing else."""
        self.aws.faults.use(faults_from(list(faults), ROOT) if faults else ())

    def all_acted(self) -> None:
        """Each of them has."""
        idle = [told["fault"] for told in self.aws.faults.report() if not told["fired"]]
        assert idle == []

    def quiet(self) -> None:
        """Wait until nothing runs and nothing is left that should. To look costs what runs time."""
        self.shop.quiet()
        until(lambda: not any(self._left()), seconds=90, pause=0.5)
        self.shop.quiet()

    def _left(self) -> Iterator[Any]:
        records = self.kiln.records
        yield records.open_rollouts()
        yield records.open_distributions()
        for stack in records.stack_names():
            yield self.unanswered(stack)
            yield [entry.change for entry in records.instances(stack) if entry.change]

    def unanswered(self, stack: str) -> bool:
        """Whether somebody waits for Configure."""
        rounds = self.kiln.rounds
        return rounds.asked(stack) != covered(rounds.rounds(stack))

    def members(self, stack: str) -> tuple[LayerInstance, ...]:
        """The instances of a stack."""
        found = self.kiln.records.instances(stack)
        return tuple(sorted(found, key=lambda entry: entry.hostname))

    def healthy(self) -> set[str]:
        """Instances that the target group sends requests to."""
        told = self.shop.outside.elb.describe_target_health(TargetGroupArn=self.targets)
        return {one["Target"]["Id"] for one in told["TargetHealthDescriptions"]}

    def running(self) -> set[str]:
        """EC2 instances of stacks that are neither stopped nor gone."""
        wanted = [
            {"Name": "tag-key", "Values": ["kiln:stack"]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping"]},
        ]
        pages = self.shop.outside.ec2.describe_instances(Filters=wanted)["Reservations"]
        return {i["InstanceId"] for page in pages for i in page["Instances"]}

    def rollout(self, image: str, layer: str) -> Rollout:
        """Wait for a rollout's end."""

        def ended() -> Rollout | None:
            found = self.kiln.records.rollout(image, layer)
            return found if found and found.status is not RolloutStatus.RUNNING else None

        found: Rollout = until(ended, 90, pause=0.3)
        return found


@contextmanager
def a_ground(*stacks: str) -> Iterator[Ground]:
    """A local AWS with stacks of one layer, whose one instance serves."""
    with LocalAws(ROOT, speed=100) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        ground = Ground(aws)
        # Nothing is to heal, and a look at every stack each 0.6 s costs more than all else.
        disable(ground, "TendInstancesFunctionEachMinute")
        # An hour is 36 s, and the events are to do it.
        disable(ground, "SweepFunctionEachHour")
        image = ground.shop.image()
        for name in stacks:
            put_stack(ground, name, a_layer("web", ground.targets, "shop"))
            change_instance(put_instance(ground, name, 1, image), "start", ground.kiln)
        ground.quiet()
        yield ground


def a_layer(name: str, targets: str, blueprint: str, **more: Any) -> dict[str, Any]:
    """A layer that takes a blueprint's images and is never below its size."""
    feed = {"blueprint": blueprint, "strategy": "replace", "surge": 1}
    return {
        "name": name,
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "count": 1,
        "auto_healing": False,
        "target_groups": [targets],
        "blueprints": [feed],
    } | more


def put_instance(ground: Ground, stack: str, number: int, image: str) -> LayerInstance:
    """The record of a stopped instance."""
    entry = LayerInstance(
        id=f"{stack}-{number:08x}",
        stack=stack,
        layers=("web",),
        hostname=f"{stack}{number}",
        state=S.STOPPED,
        image=image,
        platform="amazon-linux-2023",
        architecture="x86_64",
    )
    ground.kiln.records.add_instance(entry)
    return entry


def disable(ground: Ground, named: str) -> None:
    """Disable the rule whose name has this in it."""
    events = ground.shop.outside.client("events")
    (rule,) = (r["Name"] for r in events.list_rules()["Rules"] if named in r["Name"])
    events.disable_rule(Name=rule)


def put_stack(ground: Ground, name: str, layer: dict[str, Any]) -> None:
    """A stack of one layer."""
    document = {"kind": "stack", "name": name, "layers": [layer]}
    stack = stack_from(document)
    ground.kiln.records.put_stack(stack)
    # Kiln touches no group that `kiln apply` has not tagged.
    put_hooks(stack, None, ground.kiln)


def serving(ground: Ground, stack: str) -> list[tuple[str, str | None]]:
    """The instances of a stack, all of which serve, each with its image."""
    healthy = ground.healthy()
    entries = ground.members(stack)
    assert all(e.state is S.ONLINE and e.serving and e.ec2_id in healthy for e in entries)
    return [(e.id, e.image) for e in entries]


def bring(ground: Ground, image: str, layer: str) -> None:
    """Start a rollout by hand."""
    rollout = Rollout(
        asked=ground.kiln.clock.now().isoformat(),
        id=rollout_id(image, layer),
        image=image,
        layer=layer,
        strategy="replace",
        bake="",
        platform="amazon-linux-2023",
        architecture="x86_64",
    )
    assert begin_by_hand(rollout, ground.kiln)


def assert_told(ground: Ground, rollout: Rollout, back: bool) -> None:
    """Why it failed, and that its layer is as it was. One that failed of itself says that."""
    assert rollout.status is RolloutStatus.FAILED
    if back:
        assert rollout.error != "ABORTED"
    else:
        assert rollout.error == "ABORTED"
        assert f"{rollout.id} {STOPPED}" in (rollout.cause or "")
    assert "not as it was" not in (rollout.cause or "")
    if rollout.begun:
        told = [event["rollout"] for event in ground.shop.told("Rollout Rolled Back")]
        assert rollout.id in told
