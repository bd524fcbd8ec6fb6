"""Changes of instances, rounds of Configure and distributions that are stopped, at every state:
another execution ends their work, and what comes next goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from kiln.domain.bake import BakeStatus, ImageRecord
from kiln.domain.configure import covered
from kiln.domain.distribution import Distribute
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.naming import bake_id
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import rollout_id
from kiln.steps._instances import ask_configure, change_by_hand
from tests.builders import a_document, a_plan, a_record, an_image_record
from tests.e2e.stopping import (
    STOPPED,
    Ground,
    a_ground,
    a_layer,
    a_stop,
    assert_told,
    bring,
    put_instance,
    put_stack,
    serving,
)
from tests.integration.local.worlds import until
from tests.kiln_command import run

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
FAR = "us-east-1"
RECIPES = {event: ["true"] for event in ("setup", "configure", "shutdown")}
START = (
    *("BeginChange", "StartInstance", "AwaitRunning", "MarkBooting", "AwaitAgent", "MarkSetup"),
    *("RunSetup", "AwaitSetup", "EnterService", "EndChange"),
)
STOP = (
    *("BeginChange", "LeaveService", "AwaitDrained", "MarkShutdown", "RunShutdown"),
    *("AwaitShutdown", "StopInstance", "AwaitStopped", "EndChange"),
)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """A stack that runs, and an empty one."""
    with a_ground("f0") as ground:
        put_stack(ground, "lone", a_layer("web", ground.targets, "lone", recipes=RECIPES))
        yield ground


@pytest.fixture(scope="module")
def lone(ground: Ground) -> list[LayerInstance]:
    """As many stopped instances of a layer as a start has states."""
    image = ground.shop.image()
    return [put_instance(ground, "lone", n, image) for n, _ in enumerate(START, 1)]


def change(ground: Ground, change: str, stops: dict[str, str], wish: str) -> dict[str, Any]:
    """Let instances, by their hostnames, change, each stopped at a state; how each is then."""
    entries = {e.hostname: e for e in ground.members("lone") if e.hostname in stops}
    ground.use(*(a_stop("instance", at, f"{k}-*-{wish}") for k, at in stops.items() if at))
    for entry in entries.values():
        change_by_hand(entry, change, ground.kiln, wish)
    ground.quiet()
    ground.all_acted()
    now = {e.hostname: e for e in ground.members("lone")}
    return {stops[name] or name: now.get(name) for name in stops}


def test_a_start_and_a_stop_that_are_stopped_leave_nothing_half_way(
    ground: Ground, lone: list[LayerInstance]
) -> None:
    hosts = [entry.hostname for entry in lone]
    others = ground.running()
    started = change(ground, "start", dict(zip(hosts, START, strict=True)), "first")
    for state, entry in started.items():
        if entry.state is S.ONLINE:
            assert state in ("EnterService", "EndChange")
            assert entry.serving
            assert entry.ec2_id in ground.healthy()
            continue
        assert entry.state is (S.START_FAILED if entry.changed_at else S.STOPPED), state
        assert (entry.ec2_id, entry.serving) == (None, False)
        assert entry.state is S.STOPPED or STOPPED in entry.error, state
    online = {entry.ec2_id for entry in started.values() if entry.ec2_id}
    until(lambda: ground.running() == others | online)
    for entry in change(ground, "start", dict.fromkeys(hosts, ""), "again").values():
        assert (entry.state, entry.error) == (S.ONLINE, None)
    stopped = change(ground, "stop", dict(zip(hosts, STOP, strict=False)), "third")
    for state, entry in stopped.items():
        serves = entry.ec2_id in ground.healthy()
        assert entry.state in (S.ONLINE, S.STOP_FAILED, S.STOPPED)
        assert entry.serving == serves == (entry.state is S.ONLINE), state
        assert (entry.state is S.STOPPED) == (ground.shop.outside.state(entry.ec2_id) == "stopped")
        # Stopped before its function had come to anything, it has never begun.
        never = state == "BeginChange" and (entry.state, entry.error) == (S.ONLINE, None)
        assert never or entry.state is S.STOPPED or STOPPED in (entry.error or ""), state
    assert stopped["EndChange"].state is S.STOPPED
    assert stopped["LeaveService"].state is S.STOP_FAILED
    again = [stopped[state].hostname for state in ("LeaveService", "AwaitShutdown")]
    for entry in change(ground, "start", dict.fromkeys(again, ""), "fourth").values():
        assert (entry.state, entry.serving) == (S.ONLINE, True)


def test_a_delete_that_is_stopped_deletes_only_what_was_going(
    ground: Ground, lone: list[LayerInstance]
) -> None:
    # Two that the test before has stopped.
    hosts = [e.hostname for e in ground.members("lone") if e.state is S.STOPPED][:2]
    states = dict(zip(hosts, ("StopInstance", "AwaitStopped"), strict=True))
    kept, gone = change(ground, "delete", states, "sixth").values()
    assert (kept.state, gone) == (S.STOPPED, None)
    assert STOPPED in kept.error
    assert ground.shop.outside.state(kept.ec2_id) == "stopped"


# ------------------------------------------------------------ Configure


@pytest.mark.parametrize(
    "state", ["BeginRound", "ConfigureInstances", "RunConfigure", "AwaitConfigure", "EndRound"]
)
def test_a_round_that_is_stopped_is_run_again(
    ground: Ground, lone: list[LayerInstance], state: str
) -> None:
    ground.use(a_stop("configure", state, "lone-*"))
    entry = ground.members("lone")[-1]
    asked = ask_configure(entry, "user", ground.kiln)
    until(lambda: not ground.unanswered("lone"), seconds=60)
    ground.quiet()
    ground.all_acted()
    rounds = ground.kiln.rounds.rounds("lone")
    assert covered(rounds) >= asked
    for one in rounds:
        assert one.ended or STOPPED in one.stopped


# ------------------------------------------------------------ distributions


def test_a_distribution_that_is_stopped_says_what_is_missing_and_can_be_done_again(
    ground: Ground,
) -> None:
    states = ("PlanDistribution", "Distribute", "CopyImage", "AwaitCopy", "DistributeImage")
    every = (*states, "Announce")
    images = images_of(ground, every)
    ground.use(*(a_stop("distribution", state, f"d-{state}") for state in every))
    for state, image in images.items():
        distribute(ground, f"d-{state}", image)
    ground.quiet()
    ground.all_acted()
    for state, image in images.items():
        places = {place.region: place for place in ground.kiln.records.places(image.id)}
        assert "pending" not in {place.status for place in places.values()}, state
        for place in places.values():
            assert place.ready or STOPPED in place.cause, state
    ground.use()
    for state, image in images.items():
        distribute(ground, f"again-{state}", image)
    ground.quiet()
    for state, image in images.items():
        places = ground.kiln.records.places(image.id)
        assert {(p.region, p.ready) for p in places} == {("eu-west-1", True), (FAR, True)}, state
        assert len(own(ground, image)) == 1


def images_of(ground: Ground, names: Iterable[str]) -> dict[str, ImageRecord]:
    """An image for each name that is to go to another Region, as if it were baked."""
    shop = ground.shop
    builder, ec2 = shop.outside.an_instance(), shop.outside.ec2
    made = {}
    for name in names:
        blueprint = f"far-{name.lower()}"
        bake = bake_id(blueprint, ground.aws.clock.now(), name)
        image = str(ec2.create_image(InstanceId=builder, Name=bake)["ImageId"])
        made[name] = keep_image(ground, blueprint, bake, image)
    for record in made.values():
        wanted = {"ImageIds": [record.id]}
        until(lambda: ec2.describe_images(**wanted)["Images"][0]["State"] == "available")  # noqa: B023
    ec2.terminate_instances(InstanceIds=[builder])
    return made


def keep_image(ground: Ground, blueprint: str, bake: str, image: str) -> ImageRecord:
    """The records of a bake that has made an image."""
    records = ground.kiln.records
    now = ground.aws.clock.now()
    plan = a_plan(a_document(name=blueprint), bake=bake, started=now)
    records.add_bake(a_record(plan, status=BakeStatus.SUCCEEDED, image=image, ended=now))
    wish = Distribute.model_validate({"regions": [{"region": FAR}]})
    known = {"id": image, "name": bake, "bake": bake, "blueprint": blueprint}
    record = an_image_record(**known, created=now, announced=now, distribute=wish)
    records.put_image(record)
    records.put_place(image, ImagePlace(region=ground.aws.region, image=image, status="available"))
    return record


def distribute(ground: Ground, name: str, image: ImageRecord) -> None:
    """Start a distribution."""
    ground.shop.outside.client("stepfunctions").start_execution(
        stateMachineArn=ground.aws.outputs["DistributionStateMachineArn"],
        name=name,
        input=json.dumps({"image": image.id, "regions": []}),
    )


def own(ground: Ground, image: ImageRecord) -> list[Any]:
    """The account's copies of an image in the other Region."""
    ec2 = ground.aws.session().client("ec2", region_name=FAR)
    wanted = [{"Name": "name", "Values": [image.name]}]
    return list(ec2.describe_images(Owners=["self"], Filters=wanted)["Images"])


# ------------------------------------------------------------ the floor


def kiln(*args: object) -> Any:
    """What a command prints with --json."""
    ran = run(*args, "--json")
    assert ran.status == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_what_a_lost_event_leaves_is_taken_over_by_the_sweep(
    ground: Ground, lone: list[LayerInstance]
) -> None:
    shop = ground.shop
    before = serving(ground, "f0")
    image, far = shop.image(), images_of(ground, ["lost"])["lost"]
    rollout = rollout_id(image, "f0/web")
    host = next(entry for entry in ground.members("lone") if entry.state is S.ONLINE)
    lost = {"service": "events", "operation": "Step Functions Execution Status Change"}
    ground.use(
        lost | {"function": "take_over", "times": "always", "drop": True},
        a_stop("rollout", "AwaitStep", rollout),
        a_stop("instance", "AwaitShutdown", "*-seventh"),
        a_stop("distribution", "AwaitCopy", "d-lost"),
    )
    bring(ground, image, "f0/web")
    change = change_by_hand(host, "stop", ground.kiln, "seventh")
    distribute(ground, "d-lost", far)
    until(lambda: len([f for f in ground.aws.faults.report() if f["fired"]]) == 4, seconds=60)
    shop.quiet()
    wanted = {f"rollout {rollout}", f"instance {change}", "distribution d-lost"}
    dry = kiln("sweep", "--dry-run")
    assert set(dry["taken_over"]) == wanted
    assert shop.kiln.records.open_rollouts()
    assert set(kiln("sweep")["taken_over"]) == wanted
    ended = ground.rollout(image, "f0/web")
    ground.quiet()
    assert_told(ground, ended, back=False)
    assert serving(ground, "f0") == before
    assert {e.id: e.state for e in ground.members("lone")}[host.id] is S.STOP_FAILED
    assert kiln("sweep")["taken_over"] == []
