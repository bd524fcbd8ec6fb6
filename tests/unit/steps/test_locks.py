"""A release lock in a plan: refused before anything is launched, or told in words."""

from __future__ import annotations

import pytest

from kiln.errors import InvalidBlueprint
from kiln.steps.plan_bake import PlanBake, plan_bake
from kiln_cli.commands.plan import described
from tests.builders import BAKE, NOW, a_document, a_plan
from tests.fakes import FakeWorld


@pytest.mark.parametrize("lock", ["2023.8", "2023.8.20991231", "2018.03", "latest"])
def test_a_release_that_cannot_be_is_refused_and_nothing_is_launched(lock: str) -> None:
    fake = FakeWorld()
    order = PlanBake(
        request={"blueprint": a_document(release_lock=lock)}, execution=BAKE, started=NOW
    )
    with pytest.raises(InvalidBlueprint, match=f"release_lock: {lock} is no release of amazon-"):
        plan_bake(order, fake.world)
    assert (fake.fleet.orders, fake.bus.events) == ([], [])


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("none", "none: the image takes updates as its base does"),
        ("2023.8.20250818", "an older base is upgraded to 2023.8.20250818"),
    ],
)
def test_the_plan_says_what_the_lock_will_do(lock: str, said: str) -> None:
    plan = a_plan(a_document(release_lock=lock))
    assert said in described(plan, FakeWorld().world)["release_lock"]
