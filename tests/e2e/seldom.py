"""What functions seldom do, done on purpose: a port's method by its name, under a function's own
role.

Each makes the call that the step's code would make, on a resource such as the step would have. What
the call then finds does not matter, whether AWS lets it begin does: AWS authorizes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import get_args

from kiln.domain.distribution import FastLaunch, TemplateTarget
from kiln.domain.documents import DocumentCall
from kiln.domain.events import RolloutChanged
from kiln.domain.load import LoadStep
from kiln.domain.place import ImagePlace
from kiln.domain.refreshing import RefreshOrder
from kiln.domain.turns import Turn
from kiln.errors import AwsRefused, KilnError
from kiln.ports import CommandOrder, ImageOrder, Machine, VersionOrder
from kiln_local.recorder import caller, machine_name
from tests.e2e.stage import FRIEND, NOBODY, Stage
from tests.integration.local.worlds import BASE
from tools.step_calls import reached


def act(stage: Stage, who: str) -> None:
    """Do what a step's code can come to, in its function's name."""
    by = {method for methods in reached(who).values() for method in methods}
    for method in sorted(by & ACTS.keys()):
        call = ACTS[method](stage)
        token = caller.set(who)
        try:
            # Authorized and then found to be nonsense is as good as done.
            with suppress(AwsRefused, KilnError):
                call()
        finally:
            caller.reset(token)


def act_as_machine(stage: Stage, arn: str) -> None:
    """Ask for every function that a machine's definition names, without running it."""
    machine = stage.outside.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    functions = set(re.findall(r"arn:aws:lambda:[\w:-]+", machine["definition"]))
    client = stage.aws.session().client("lambda")
    token = caller.set(machine_name(machine["name"]))
    try:
        for function in sorted(functions):
            client.invoke(FunctionName=function, InvocationType="DryRun")
    finally:
        caller.reset(token)


def fail(stage: Stage) -> None:
    """Lambda asks whether it may report, for each function that says where to."""
    lambdas = stage.aws._events.lambdas
    assert lambdas is not None
    for name, queue in lambdas.destinations.items():
        lambdas.reports(name, queue)


def _every(*calls: Callable[[], object]) -> Callable[[], None]:
    """All of some calls, each as if it stood alone."""

    def do() -> None:
        for call in calls:
            with suppress(AwsRefused, KilnError):
                call()

    return do


def _bundle(stage: Stage) -> Callable[[], object]:
    location = stage.kiln.bundles.location("seldom")
    order = ImageOrder(
        instance=stage.kept,
        name="seldom-bundle",
        description="",
        tags={"kiln:managed": "true"},
        manifest=f"{location}/image.manifest.xml",
    )
    return partial(stage.kiln.images.create, order)


def _remove_bundle(stage: Stage) -> Callable[[], object]:
    location = stage.kiln.bundles.location("seldom")
    bucket, _, prefix = location.partition("/")
    stage.outside.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/part.0", Body=b"")
    return partial(stage.kiln.bundles.remove, location)


# Kiln's, those of AWS that it runs, and two that ExtraDocuments names.
DOCUMENTS = (
    ("run-shell", True),
    ("AWS-ApplyChefRecipes", False),
    ("AWS-ApplyAnsiblePlaybooks", False),
    ("AWS-UpdateSSMAgent", False),
    ("Apps-own", False),
)
TURN = Turn(
    bake="seldom-20260101-000000-0001", execution="seldom", asked="2026-01-01T00:00:00.000Z"
)


def _send(stage: Stage) -> Callable[[], object]:
    calls = [DocumentCall(name, {}, 60, ours) for name, ours in DOCUMENTS]
    orders = [CommandOrder(stage.kept, c, f"seldom {c.name}", "bakes/seldom") for c in calls]
    return _every(*(partial(stage.kiln.commands.send, order) for order in orders))


def _look_at_scripts(stage: Stage) -> Callable[[], object]:
    buckets = ("scripts", stage.aws.outputs["BucketName"])
    uris = [f"s3://{bucket}/{key}" for bucket in buckets for key in (stage.script, "none")]
    return _every(*(partial(stage.kiln.origins.content, uri) for uri in uris))


def _read_scripts(stage: Stage) -> Callable[[], object]:
    buckets = ("scripts", stage.aws.outputs["BucketName"])
    uris = [f"s3://{bucket}/{stage.script}" for bucket in buckets]
    calls = [
        partial(stage.kiln.scripts.read, uri, version) for uri in uris for version in (None, "v")
    ]
    return _every(*calls)


def _read_ends(stage: Stage) -> Callable[[], object]:
    keys = [f"{folder}/seldom" for folder in ("bakes", "outputs")]
    for key in keys:
        stage.outside.client("s3").put_object(
            Bucket=stage.aws.outputs["BucketName"], Key=key, Body=b"said"
        )
    return _every(*(partial(stage.kiln.objects.end, key, 9) for key in keys))


def _place() -> ImagePlace:
    return ImagePlace(region="eu-west-1", image="ami-1")


def _load_step() -> LoadStep:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return LoadStep(layer="shop/web", number=1, change="start", chosen={}, at=now, until=now)


def _order(stage: Stage) -> VersionOrder:
    return VersionOrder(stage.template, 1, stage.outside.base, "seldom", "seldom")


_TARGET = TemplateTarget(name="seldom")
ACTS: dict[str, Callable[[Stage], Callable[[], object]]] = {
    "agents.pings": lambda s: partial(s.kiln.agents.pings, [s.kept]),
    "alarms.look_at": lambda s: partial(s.kiln.alarms.look_at, ["seldom"]),
    "alarms.ringing": lambda s: partial(s.kiln.alarms.ringing, ["seldom"]),
    "bundles.remove": _remove_bundle,
    "bus.publish": lambda s: partial(
        s.kiln.bus.publish,
        RolloutChanged(rollout="seldom", image="ami-1", layer="shop/web", status="Started"),
    ),
    "commands.find": lambda s: partial(s.kiln.commands.find, s.kept, "seldom"),
    "commands.look": lambda s: partial(s.kiln.commands.look, NOBODY, s.kept),
    "commands.output": lambda s: partial(s.kiln.commands.output, NOBODY, s.kept, "script"),
    "commands.send": _send,
    "fleet.all_of": lambda s: partial(s.kiln.fleet.all_of, [s.kept]),
    "fleet.delete_volume": lambda s: partial(s.kiln.fleet.delete_volume, s.volume()),
    "fleet.describe": lambda s: partial(s.kiln.fleet.describe, s.kept),
    "fleet.resize": lambda s: partial(s.kiln.fleet.resize, s.kept, "m7i.xlarge"),
    "fleet.start": lambda s: partial(s.kiln.fleet.start, s.kept),
    "fleet.stop": lambda s: partial(s.kiln.fleet.stop, s.instance()),
    "fleet.terminate": lambda s: partial(s.kiln.fleet.terminate, [s.instance()]),
    "groups.beat": lambda s: partial(s.kiln.groups.beat, s.action),
    "groups.cancel": lambda s: partial(s.kiln.groups.cancel, s.group),
    "groups.complete": lambda s: partial(s.kiln.groups.complete, s.action, "CONTINUE"),
    "groups.delete_version": lambda s: partial(s.kiln.groups.delete_version, s.template, 7),
    "groups.describe": lambda s: partial(s.kiln.groups.describe, s.group),
    "groups.refresh": lambda s: partial(s.kiln.groups.refresh, s.group, NOBODY),
    "groups.roll_back": lambda s: partial(s.kiln.groups.roll_back, s.group),
    "groups.set_launch": lambda s: partial(s.kiln.groups.set_launch, s.group, s.launching),
    "groups.start_refresh": lambda s: partial(
        s.kiln.groups.start_refresh, RefreshOrder(s.group, s.launching, 100)
    ),
    "groups.add_version": lambda s: partial(s.kiln.groups.add_version, _order(s)),
    "groups.using": lambda s: partial(s.kiln.groups.using, s.template),
    "groups.version": lambda s: partial(s.kiln.groups.version, s.template, "1"),
    "images.create": _bundle,
    "images.delete_snapshot": lambda s: partial(s.kiln.images.delete_snapshot, s.snapshot()),
    "images.deregister": lambda s: partial(s.kiln.images.deregister, s.image()),
    "machines.fail": lambda s: partial(s.kiln.machines.fail, "none", "Seldom", ""),
    "machines.look": lambda s: _every(
        *(partial(s.kiln.machines.look, m, "seldom") for m in get_args(Machine))
    ),
    "machines.succeed": lambda s: partial(s.kiln.machines.succeed, "none", {}),
    "machines.running": lambda s: _every(
        *(partial(s.kiln.machines.running, m, "seldom") for m in get_args(Machine))
    ),
    "machines.start": lambda s: _every(
        *(partial(s.kiln.machines.start, m, "no <name>", {}) for m in get_args(Machine))
    ),
    "objects.end": _read_ends,
    "objects.read": lambda s: _every(
        *(partial(s.kiln.objects.read, f"{folder}/seldom") for folder in ("bakes", "images"))
    ),
    "leftovers.delete_interface": lambda s: partial(
        s.kiln.leftovers.delete_interface, s.interface()
    ),
    "deployments.commands": lambda s: partial(s.kiln.deployments.commands, "shop", "seldom"),
    "load_steps.put": lambda s: partial(s.kiln.load_steps.put, _load_step()),
    "origins.content": _look_at_scripts,
    "origins.document": lambda s: _every(
        *(partial(s.kiln.origins.document, name, ours=ours) for name, ours in DOCUMENTS)
    ),
    "outlet.add_version": lambda s: partial(
        s.kiln.regions.at(s.aws.region).outlet.add_version, _TARGET, "ami-1", "seldom"
    ),
    "outlet.enable_fast_launch": lambda s: partial(
        s.kiln.regions.at(s.aws.region).outlet.enable_fast_launch, s.image(), FastLaunch()
    ),
    "outlet.enable_fast_restore": lambda s: partial(
        s.kiln.regions.at(s.aws.region).outlet.enable_fast_restore,
        [s.snapshot()],
        [f"{s.aws.region}a"],
    ),
    "outlet.knows_template": lambda s: partial(
        s.kiln.regions.at(s.aws.region).outlet.knows_template, _TARGET
    ),
    "outlet.make_default": lambda s: partial(
        s.kiln.regions.at(s.aws.region).outlet.make_default, _TARGET, 1
    ),
    "parameters.read_all": lambda s: partial(s.kiln.parameters.read_all, ["/images/own", BASE]),
    "parameters.read": lambda s: _every(
        *(partial(s.kiln.parameters.read, name) for name in ("/images/own", BASE))
    ),
    "records.claim": lambda s: partial(s.kiln.records.claim, "seldom", "seldom"),
    "records.instance": lambda s: partial(s.kiln.records.instance, "seldom", "seldom"),
    "records.instances": lambda s: partial(s.kiln.records.instances, "seldom"),
    "records.put_place": lambda s: partial(s.kiln.records.put_place, "seldom", _place()),
    "records.release_healing": lambda s: partial(
        s.kiln.records.release_healing, "shop/web", "seldom"
    ),
    "records.remove_instance": lambda s: partial(s.kiln.records.remove_instance, s.entry),
    "records.stack": lambda s: partial(s.kiln.records.stack, "seldom"),
    "regions.at": lambda s: partial(s.kiln.regions.at, s.aws.region, FRIEND),
    "regions.enabled": lambda s: s.kiln.regions.enabled,
    "rounds.next_number": lambda s: partial(s.kiln.rounds.next_number, "seldom"),
    "scripts.read": _read_scripts,
    "turns.free": lambda s: partial(s.kiln.turns.free, TURN.bake),
    "turns.leave": lambda s: partial(s.kiln.turns.leave, TURN),
    "turns.take": lambda s: partial(s.kiln.turns.take, TURN, 10),
    "traffic.deregister": lambda s: partial(s.kiln.traffic.deregister, [s.targets], s.kept),
    "traffic.health": lambda s: partial(s.kiln.traffic.health, s.targets, s.kept),
    "traffic.register": lambda s: partial(s.kiln.traffic.register, [s.targets], s.kept),
}
