"""What layers do of themselves, in one local AWS: instances that fall silent are healed, those by
the hour and by load are started and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kiln.domain.healing import PAUSES
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import RolloutStatus
from kiln.domain.scaling import DAYS, Scaling
from kiln_local.world import LocalAws
from tests.e2e.layers import NOTE, Layers
from tests.e2e.running import ROOT
from tests.integration.local.worlds import until

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
# A minute takes a fifth of a second, a silence of five minutes one.
SPEED = 300.0
RECIPES = {event: [NOTE] for event in ("setup", "deploy", "configure", "shutdown")}
LOAD = {
    "up": {"alarms": ["busy"], "instances": 2, "wait": "2m", "ignore": "5m"},
    "down": {"alarms": ["idle"], "instances": 2, "wait": "2m", "ignore": "5m"},
}


def layer(name: str, **more: Any) -> dict[str, Any]:
    """A layer of the stack."""
    made = {
        "name": name,
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "recipes": RECIPES,
    }
    return made | more


@pytest.fixture(scope="module")
def shop() -> Iterator[Layers]:
    """Two instances of a layer behind a load balancer, and one of a layer that is not healed."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        layers = Layers(aws)
        group = layers.outside.a_target_group("web")
        layers.apply(
            layers=[
                layer("web", count=2, target_groups=[group]),
                layer("db", count=1, auto_healing=False),
                layer("spare", load=LOAD),
            ]
        )
        image = layers.image()
        layers.announce(image, {"web": "replace", "db": "replace"})
        for name in ("web", "db"):
            assert layers.rollout(image, name).status is RolloutStatus.SUCCEEDED
        layers.quiet()
        yield layers


def now(shop: Layers, entry: LayerInstance) -> LayerInstance:
    found = shop.kiln.records.instance("shop", entry.id)
    assert found is not None
    return found


def told(shop: Layers, entry: LayerInstance, since: int) -> list[str]:
    """The states of an instance that were announced, and by whom they were asked for."""
    changes = shop.told("Instance State Change")[since:]
    own = [change for change in changes if change["instance-id"] == entry.id]
    return [f"{c['status']} {c.get('initiated_by', '')}".strip() for c in own]


def health(shop: Layers, entry: LayerInstance) -> str:
    stack = shop.kiln.records.stack("shop")
    assert stack
    (group,) = stack.layers[0].target_groups
    return str(shop.aws.balancing.state(group, entry.ec2_id or ""))


def become(shop: Layers, entries: list[LayerInstance], *states: S) -> None:
    """Wait until instances are in these states, one each; say how they are if they never are."""
    try:
        until(lambda: [now(shop, entry).state for entry in entries] == list(states))
    except AssertionError as error:
        found = [now(shop, entry) for entry in entries]
        lines = [f"{e.hostname} is {e.state}, {e.change}: {e.error}" for e in found]
        raise AssertionError("\n".join(lines)) from error


def is_healed(shop: Layers, entry: LayerInstance) -> bool:
    found = now(shop, entry)
    once_more = len(found.healed_at) == len(entry.healed_at) + 1
    return found.state is S.ONLINE and once_more and not found.change


def a_spare(shop: Layers, name: str, **more: Any) -> LayerInstance:
    """An instance that somebody has written down, of the image that layer web has."""
    web = shop.members("web")[0]
    entry = web.model_copy(
        update={
            "id": f"{name}-0000-0000",
            "hostname": name,
            "layers": ("spare",),
            "state": S.STOPPED,
            "ec2_id": None,
            "serving": False,
            "healed_at": (),
            "revision": 0,
            **more,
        }
    )
    assert shop.kiln.records.add_instance(entry)
    return entry


def test_a_silent_instance_is_healed_and_its_peers_learn_of_it(shop: Layers) -> None:
    web1, web2 = shop.members("web")
    since = len(shop.told("Instance State Change"))
    ran = {entry.id: shop.file(entry, "ran").count("configure") for entry in (web1, web2)}
    seen: list[str] = []
    shop.on(lambda instance, state: seen.append(state) if instance.id == web1.ec2_id else None)
    shop.aws.agents.silence(web1.ec2_id or "")
    until(lambda: is_healed(shop, web1))
    assert seen == ["stopping", "stopped", "pending", "running"]
    after = now(shop, web1)
    assert (after.ec2_id, after.hostname) == (web1.ec2_id, web1.hostname)
    until(lambda: health(shop, after) == "healthy")
    shop.quiet()
    # A bus keeps no order.
    assert set(told(shop, web1, since)) == {
        *("connection_lost", "stopping auto-healing", "shutting_down", "stopped"),
        *("requested auto-healing", "pending", "booting", "running_setup", "online"),
    }
    # It left and it came back: its peer was told of both.
    assert shop.file(web2, "ran").count("configure") >= ran[web2.id] + 2
    peers = shop.json(web2, "configure")["opsworks"]["layers"]["web"]["instances"]
    assert peers[web1.hostname]["private_ip"] == after.private_ip
    lines = shop.file(after, "ran").splitlines()
    own = [line for line in lines if not line.startswith("configure")]
    assert own == ["setup web", "deploy web"] * 2


def test_one_that_is_terminated_outside_is_launched_anew_under_its_name(shop: Layers) -> None:
    web2 = shop.members("web")[1]
    shop.aws.agents.die(web2.ec2_id or "")
    until(lambda: is_healed(shop, web2))
    after = now(shop, web2)
    assert after.ec2_id != web2.ec2_id
    assert (after.hostname, after.layers, after.image) == (web2.hostname, web2.layers, web2.image)
    until(lambda: health(shop, after) == "healthy")
    shop.quiet()


@pytest.mark.long
def test_a_stop_that_hangs_is_forced(shop: Layers) -> None:
    web2 = shop.members("web")[1]
    shop.aws.ec2.hang(web2.ec2_id or "")
    shop.aws.agents.silence(web2.ec2_id or "")
    until(lambda: is_healed(shop, web2))
    assert now(shop, web2).ec2_id == web2.ec2_id
    assert web2.ec2_id not in shop.aws.ec2.hanging
    shop.quiet()


@pytest.mark.long
def test_healing_that_is_off_does_nothing_but_say_so(shop: Layers) -> None:
    (db1,) = shop.members("db")
    since = len(shop.told("Instance State Change"))
    shop.aws.agents.silence(db1.ec2_id or "")
    become(shop, [db1], S.CONNECTION_LOST)
    shop.aws.clock.sleep(1200)
    assert now(shop, db1).state is S.CONNECTION_LOST
    assert shop.outside.state(db1.ec2_id or "") == "running"
    shop.aws.agents.speak(db1.ec2_id or "")
    become(shop, [db1], S.ONLINE)
    until(lambda: set(told(shop, db1, since)) == {"connection_lost", "online"})
    shop.quiet()


@pytest.mark.long
def test_a_bake_that_adopts_an_instance_is_not_disturbed(shop: Layers) -> None:
    """The bake holds the healing of its layer from before its builder's agent is removed."""
    records = shop.kiln.records
    web1 = shop.members("web")[0]
    heals = len(web1.healed_at)
    records.hold_healing("shop/web", "shop-20260101-000000-beef")
    shop.aws.agents.silence(web1.ec2_id or "")
    become(shop, [web1], S.CONNECTION_LOST)
    shop.aws.clock.sleep(1200)
    assert shop.outside.state(web1.ec2_id or "") == "running"
    assert len(now(shop, web1).healed_at) == heals
    shop.aws.agents.speak(web1.ec2_id or "")
    become(shop, [web1], S.ONLINE)
    records.release_healing("shop/web", "shop-20260101-000000-beef")
    shop.quiet()


def test_by_load_those_that_there_are_are_started_and_stopped(shop: Layers) -> None:
    for name in ("busy", "idle"):
        shop.outside.an_alarm(name)
        shop.outside.ring(name, "OK")
    spares = [a_spare(shop, f"spare{n}", scaling=Scaling.LOAD) for n in (1, 2, 3)]
    since = len(shop.told("Instance State Change"))
    rang = shop.aws.clock.now()
    shop.outside.ring("busy")
    step = until(lambda: shop.kiln.load_steps.last("shop/spare"))
    shop.outside.ring("busy", "OK")
    assert timedelta(minutes=2) <= step.at - rang
    become(shop, spares, S.ONLINE, S.ONLINE, S.STOPPED)
    until(lambda: "requested auto-scaling" in told(shop, spares[0], since))
    shop.outside.ring("idle")
    become(shop, spares, *[S.STOPPED] * 3)
    assert shop.members("spare")[0].change is None
    shop.outside.ring("idle", "OK")
    shop.quiet()


@pytest.mark.long
def test_an_instance_by_the_hour_starts_at_its_hour_and_stops_after(shop: Layers) -> None:
    begin = shop.aws.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = {DAYS[begin.weekday()]: (begin.hour,)}
    since = len(shop.told("Instance State Change"))
    timed = a_spare(shop, "timed", scaling=Scaling.TIME, hours=hours)
    become(shop, [timed], S.ONLINE)
    assert begin <= shop.aws.clock.now() < begin + timedelta(hours=1)
    become(shop, [timed], S.STOPPED)
    assert shop.aws.clock.now() >= begin + timedelta(hours=1)
    asked = {"requested auto-scaling", "stopping auto-scaling"}
    until(lambda: asked <= set(told(shop, timed, since)))
    shop.quiet()


@pytest.mark.long
def test_a_network_that_stays_broken_is_no_longer_healed(shop: Layers) -> None:
    """It has been healed three times today; the fourth time is the last."""
    web1 = shop.members("web")[0]
    heals = tuple((shop.aws.clock.now() - timedelta(hours=n)).isoformat() for n in (9, 8, 5))
    assert shop.kiln.records.replace_instance(web1.model_copy(update={"healed_at": heals}))
    shop.aws.agents.silence(web1.ec2_id or "", for_good=True)
    until(lambda: shop.told("Alert"))
    until(lambda: "heals it no more" in (now(shop, web1).error or ""))
    shop.aws.clock.sleep(900)
    found = now(shop, web1)
    alert = shop.told("Alert")[0]
    assert {(a["instance-id"], a["type"]) for a in shop.told("Alert")} == {(web1.id, "AutoHealing")}
    assert (found.state, len(found.healed_at)) == (S.CONNECTION_LOST, len(PAUSES))
    assert alert["message"] == found.error
    shop.quiet()
