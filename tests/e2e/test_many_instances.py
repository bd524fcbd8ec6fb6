"""Fifty instances that start together: Configure reaches each of them, in two rounds at most."""

from __future__ import annotations

import pytest

from kiln.domain.configure import AskStatus
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.steps._instances import change_instance
from kiln_local.world import LocalAws
from tests.e2e.layers import Layers
from tests.e2e.running import ROOT

pytestmark = pytest.mark.long

COUNT = 50
# Slow enough for the machines' own work, which would else spread them.
SPEED = 20
CONFIGURE = """
mkdir -p /srv/kiln
echo configured >>/srv/kiln/rounds
cp "$KILN_ATTRIBUTES" /srv/kiln/configure.json
"""


@pytest.mark.timeout(300)
def test_fifty_instances_that_start_together_cost_two_rounds_of_configure() -> None:
    with LocalAws(ROOT, speed=SPEED) as aws:
        shop = Layers(aws)
        layer = {
            "name": "web",
            "kind": "instances",
            "platform": "debian-12",
            "instance_type": "m7i.large",
            "recipes": {"configure": [CONFIGURE]},
        }
        shop.apply(layers=[layer])
        base = "/aws/service/debian/release/12/latest/amd64"
        image = shop.outside.ssm.get_parameter(Name=base)["Parameter"]["Value"]
        for number in range(1, COUNT + 1):
            entry = LayerInstance(
                id=f"{number:08d}",
                stack="shop",
                layers=("web",),
                hostname=f"web{number}",
                state=InstanceState.STOPPED,
                image=image,
                platform="debian-12",
            )
            shop.kiln.records.add_instance(entry)
        for entry in shop.members("web"):
            change_instance(entry, "start", shop.kiln)
        shop.quiet(seconds=240)
        all_are_configured_in_two_rounds(shop)


def all_are_configured_in_two_rounds(shop: Layers) -> None:
    entries = shop.members("web")
    assert [entry.error for entry in entries] == [None] * COUNT
    assert {entry.state for entry in entries} == {InstanceState.ONLINE}
    rounds = shop.kiln.rounds.rounds("shop")
    assert 1 <= len(rounds) <= 2
    assert [found.failures for found in rounds] == [{}] * len(rounds)
    asks = shop.kiln.rounds.asks("shop")
    assert len(asks) == COUNT
    statuses = [ask.status for ask in asks]
    assert statuses.count(AskStatus.SUCCESSFUL) == len(rounds)
    assert statuses.count(AskStatus.SUPERSEDED) == COUNT - len(rounds)
    for entry in entries:
        assert len(shop.file(entry, "rounds").splitlines()) <= len(rounds)
        known = shop.json(entry, "configure")["opsworks"]["layers"]["web"]["instances"]
        assert len(known) == COUNT
