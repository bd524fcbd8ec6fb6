"""A layer takes an image, or is left as it was: state machines, functions, documents and recipes
together, in one local AWS."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import RolloutStatus
from kiln_local.world import LocalAws
from tests.e2e.layers import NOTE, Layers, soon
from tests.e2e.running import ROOT, SPEED

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
RECIPES = {event: [NOTE] for event in ("setup", "deploy", "configure", "shutdown")}
WEB, API = 3, 3


def layer(name: str, count: int, **more: Any) -> dict[str, Any]:
    """A layer of the stack."""
    made = {
        "name": name,
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "count": count,
        "recipes": RECIPES,
    }
    return made | more


@pytest.fixture(scope="module")
def shop() -> Iterator[Layers]:
    """Two layers and six instances, which run their first image."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        layers = Layers(aws)
        group = layers.outside.a_target_group("web")
        layers.apply(layers=[layer("web", WEB, target_groups=[group]), layer("api", API)])
        image = layers.image()
        layers.announce(image, {"web": "replace", "api": "replace"})
        for name in ("web", "api"):
            assert layers.rollout(image, name).status is RolloutStatus.SUCCEEDED
        layers.quiet()
        yield layers


def as_it_is(shop: Layers) -> dict[str, Any]:
    """All that a rollout that fails must leave alone."""
    shop.quiet()
    entries = [*shop.members("web"), *shop.members("api")]
    return {
        i.id: (i.hostname, i.ec2_id, i.image, i.state, i.serving, i.layers) for i in entries
    } | {"running": shop.running()}


def in_service(told: list[dict[str, Any]], at_first: set[str], layer: str) -> list[int]:
    """How many instances of a layer were online after each announced change of one of them."""
    online, counts = set(at_first), []
    for change in told:
        if change["layer-ids"] == [layer]:
            name = change["instance-id"]
            online = online | {name} if change["status"] == "online" else online - {name}
            counts.append(len(online))
    return counts


def test_two_layers_change_over_without_a_moment_of_too_few(shop: Layers) -> None:
    old = {name: {i.id for i in shop.members(name)} for name in ("web", "api")}
    assert [len(ids) for ids in old.values()] == [WEB, API]
    before = len(shop.told("Instance State Change"))
    image = shop.image()
    shop.announce(image, {"web": "replace", "api": "replace"})
    for name in ("web", "api"):
        rollout = shop.rollout(image, name)
        assert (rollout.status, rollout.cause) == (RolloutStatus.SUCCEEDED, None)
    shop.quiet()
    told = shop.told("Instance State Change")[before:]
    for name, size in (("web", WEB), ("api", API)):
        assert min(in_service(told, old[name], name)) >= size - 1
        new = shop.members(name)
        assert [(i.state, i.image) for i in new] == [(S.ONLINE, image)] * size
        assert not {i.id for i in new} & old[name]
        for entry in new:
            ran = shop.file(entry, "ran").splitlines()
            assert ran[:3] == [f"{event} {name}" for event in ("setup", "deploy", "configure")]
            assert set(ran[3:]) <= {f"configure {name}"}
    every_peer_knows_every_other(shop)
    assert shop.running() == {i.ec2_id for i in (*shop.members("web"), *shop.members("api"))}


def every_peer_knows_every_other(shop: Layers) -> None:
    entries = [*shop.members("web"), *shop.members("api")]
    addresses = {i.hostname: i.private_ip for i in entries}
    for entry in entries:
        known = shop.json(entry, "configure")["opsworks"]["layers"]
        found = {
            host: facts["private_ip"]
            for layer in known.values()
            for host, facts in layer["instances"].items()
        }
        assert found == addresses


def test_a_setup_that_fails_on_the_third_leaves_the_layer_as_it_was(shop: Layers) -> None:
    before = as_it_is(shop)
    taken = {i.hostname for i in shop.members("web")}
    third = sorted({f"web{n}" for n in range(1, 7)} - taken)[2]
    recipe = f"""
own=$KILN_DATA_BAGS/aws_opsworks_instance/{third}.json
if [ -e /srv/broken ] && grep -q '"self": true' "$own" 2>/dev/null
then echo 'the disk of {third} is full' >&2; exit 9; fi
"""
    group = shop.kiln.records.stack("shop").layer("web").target_groups  # type: ignore[union-attr]
    setup = RECIPES | {"setup": [NOTE, recipe]}
    web = layer("web", WEB, target_groups=list(group), recipes=setup)
    shop.apply(layers=[web, layer("api", API)])
    image = shop.image(mark="broken")
    shop.announce(image, {"web": "replace"})
    rollout = shop.rollout(image, "web")
    assert (rollout.status, rollout.error) == (RolloutStatus.FAILED, "RolloutFailed")
    for said in (third, "exited 9", "the disk of", "setup of layer web"):
        assert said in (rollout.cause or "")
    assert as_it_is(shop) == before
    every_peer_knows_every_other(shop)
    told = [e["cause"] for e in shop.told("Rollout Failed") if e["image"] == image]
    assert told == [rollout.cause]
    assert [e["image"] for e in shop.told("Rollout Rolled Back")][-1] == image


def test_a_target_group_that_never_turns_healthy_leaves_the_layer_as_it_was(
    shop: Layers,
) -> None:
    before, image = as_it_is(shop), shop.image()
    (group,) = shop.kiln.records.stack("shop").layer("web").target_groups  # type: ignore[union-attr]

    def sicken(instance: Any, state: str) -> None:
        if state == "running" and instance.image_id == image:
            shop.aws.balancing.fail(group, instance.id)

    shop.on(sicken)
    shop.announce(image, {"web": "replace"})
    rollout = shop.rollout(image, "web")
    assert (rollout.status, rollout.error) == (RolloutStatus.FAILED, "RolloutFailed")
    assert "not found healthy" in (rollout.cause or "")
    assert as_it_is(shop) == before


def test_an_instance_that_dies_during_deploy_leaves_the_layer_as_it_was(shop: Layers) -> None:
    before, image = as_it_is(shop), shop.image(mark="slow")
    slow = "if [ -e /srv/slow ]; then touch /srv/deploying; sleep 5; fi"
    shop.apply(
        layers=[
            layer("web", WEB, recipes=RECIPES | {"deploy": [slow]}),
            layer("api", API, recipes=RECIPES | {"deploy": [slow]}),
        ]
    )

    def kill() -> bool:
        for entry in shop.members("api"):
            running = entry.image == image and entry.state is S.RUNNING_SETUP
            root = shop.aws.room.root(entry.ec2_id or "") if running else None
            if root and (root / "srv/deploying").exists():
                shop.aws.agents.die(entry.ec2_id or "")
                return True
        return False

    killer = threading.Thread(target=soon, args=(kill,))
    killer.start()
    shop.announce(image, {"api": "replace"})
    rollout = shop.rollout(image, "api")
    killer.join()
    assert (rollout.status, rollout.error) == (RolloutStatus.FAILED, "RolloutFailed")
    assert "deploy of layer api" in (rollout.cause or "")
    assert "terminated" in (rollout.cause or "") or "shutting-down" in (rollout.cause or "")
    assert as_it_is(shop) == before


def test_one_image_starts_one_rollout_and_an_older_one_none(shop: Layers) -> None:
    older = shop.image()
    newer = shop.image()
    shop.announce(newer, {"api": "replace"}, times=3)
    shop.rollout(newer, "api")
    shop.announce(older, {"api": "replace"}, times=2)
    shop.announce(newer, {"api": "replace"}, times=2)
    assert shop.rollout(older, "api").status is RolloutStatus.SKIPPED
    shop.quiet()
    assert {i.image for i in shop.members("api")} == {newer}
    begun = Counter(event["image"] for event in shop.told("Rollout Started"))
    assert (begun[newer], begun[older]) == (1, 0)
    arn = shop.aws.outputs["RolloutStateMachineArn"]
    runs = shop.outside.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert sum(run["name"].startswith(newer) for run in runs) == 1


def test_a_canary_serves_alone_and_an_alarm_takes_it_back(shop: Layers) -> None:
    before: dict[str, Any] = as_it_is(shop)
    alarm = shop.outside.an_alarm("too-many-errors")
    shop.outside.ring(alarm, "OK")
    feed = {"blueprint": "shop", "strategy": "canary", "bake_time": "30m", "alarms": [alarm]}
    shop.apply(layers=[layer("web", WEB), layer("api", API, blueprints=[feed])])
    image = shop.image()
    shop.announce(image, {})

    def alone() -> bool:
        canary: list[LayerInstance] = [i for i in shop.members("api") if i.image == image]
        return [i.state for i in canary] == [S.ONLINE] and len(shop.members("api")) == API + 1

    soon(alone)
    shop.outside.ring(alarm)
    rollout = shop.rollout(image, "api")
    assert (rollout.status, rollout.cause) == (RolloutStatus.FAILED, f"alarm {alarm} is in ALARM")
    assert as_it_is(shop) == before
