"""Blueprints on blueprints: one release of a base, and all of them are made anew, in order."""

from __future__ import annotations

import pytest

from kiln_cli import history
from kiln_local.template import read
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT
from tests.e2e.triggers import AL2023, Followers
from tests.integration.local.worlds import until

pytestmark = pytest.mark.long

ROOTS, MIDDLES, LEAVES = 3, 9, 18


def family(followers: Followers) -> dict[str, str | None]:
    """Thirty blueprints on three levels; each with the blueprint that is its base."""
    found: dict[str, str | None] = {f"root{n}": None for n in range(ROOTS)}
    found |= {f"middle{n}": f"root{n % ROOTS}" for n in range(MIDDLES)}
    found |= {f"leaf{n}": f"middle{n % MIDDLES}" for n in range(LEAVES)}
    for name, below in found.items():
        followers.add(name, {"blueprint": below} if below else {"parameter": AL2023})
    return found


@pytest.mark.timeout(290)
def test_thirty_blueprints_on_three_levels_rebuild_in_order_after_one_release() -> None:
    known = read(ROOT / "template.yaml")["Parameters"]
    limit = {"MaxBakes": "6"} if "MaxBakes" in known else {}
    with LocalAws(ROOT, speed=100, parameters=limit) as aws:
        followers = Followers(aws)
        below = family(followers)
        new = aws.releases.publish(AL2023)
        for _ in range(2):
            aws.notices.publish("amazon-linux-2023-ami-updates", "2023.8.20250819")
        until(lambda: followers.done(*below), seconds=280, pause=0.2)
        assert len(followers.runs()) == len(below)
        images = {name: followers.kiln.records.images(name)[-1] for name in below}
        for name, base in below.items():
            (bake,) = followers.bakes(name)
            assert images[name].base == (images[base].id if base else new)
            if base:
                # Its record is complete before the event goes out that a bake begins on.
                assert images[base].announced is not None
                assert bake.plan.started >= images[base].created
        if limit:
            assert busiest(followers, list(below)) <= int(limit["MaxBakes"])


def busiest(followers: Followers, names: list[str]) -> int:
    """How many bakes had something running at the same time, at most."""
    changes = []
    machine = followers.aws.outputs["BakeStateMachineArn"].replace(":stateMachine:", ":execution:")
    client = followers.client("stepfunctions")
    for bake in followers.bakes(*names):
        arn = f"{machine}:{bake.plan.bake}"
        execution = history.describe(client, arn)
        spans = history.spans(history.events(client, arn), execution)
        entered = next(span for span in spans if span.name == "LaunchBuilder").entered_s
        left = next(span for span in spans if span.name == "Teardown").entered_s
        began = execution.began.timestamp()
        changes += [(began + entered, 1), (began + left, -1)]
    running = most = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most
