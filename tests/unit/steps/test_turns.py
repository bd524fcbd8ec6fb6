"""Turns: who waits, who is woken, who is out of the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.failure import Failure
from kiln.domain.turns import BEGIN_AT_ONCE, BEGIN_EVERY_S, Line
from kiln.errors import BakeRefused, BaseImageNotFound, TurnMissed
from kiln.steps.await_resource import AwaitResource, await_resource
from kiln.steps.plan_bake import PlanBake
from kiln.steps.teardown import Teardown, teardown
from tests.builders import a_document, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.turning import ended, image_of, order, planned, status, waits


def test_a_second_bake_of_a_blueprint_waits_and_goes_when_the_first_has_ended() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    assert planned(fake, first).verdict == "go"
    token = waits(fake, second)
    assert token not in fake.machines.outputs
    assert fake.bus.types() == ["Bake Started"]
    ended(fake, first)
    assert token in fake.machines.outputs
    fake.clock.move(3600)
    answer = planned(fake, second)
    assert (answer.verdict, status(fake, answer)) == ("go", BakeStatus.RUNNING)
    assert fake.bus.types() == ["Bake Started", "Bake Started"]
    record = fake.records.bake(answer.bake)
    assert record is not None
    # The time for which it stood in line is not its own.
    assert record.plan.deadline == fake.clock.now() + timedelta(hours=4)
    assert fake.turns.line().waiting == ()


def test_no_more_bakes_go_than_may_and_the_oldest_that_waits_is_next() -> None:
    fake = FakeWorld(max_bakes=1)
    orders = [order(a_document(name=name), n) for n, name in enumerate(("web", "app", "api"))]
    assert planned(fake, orders[0]).verdict == "go"
    late = waits(fake, orders[2])
    early = waits(fake, orders[1])
    ended(fake, orders[0])
    assert early in fake.machines.outputs
    assert late not in fake.machines.outputs
    # Whoever comes by first does not go before its turn.
    assert planned(fake, orders[2]).verdict == "wait"
    assert planned(fake, orders[1]).verdict == "go"


def test_of_a_crowd_whose_turn_it_is_each_begins_a_while_after_the_one_before() -> None:
    fake = FakeWorld(max_bakes=100)
    orders = [order(a_document(name=f"web-{number}"), number) for number in range(40)]
    answers = [planned(fake, each) for each in orders]
    begins = [answer.begin_in_s for answer in answers]
    assert begins[:BEGIN_AT_ONCE] == [0] * BEGIN_AT_ONCE
    assert begins == sorted(begins)
    assert begins[-1] == round((40 - BEGIN_AT_ONCE) * BEGIN_EVERY_S)
    last = fake.records.bake(answers[-1].bake)
    assert last is not None
    # The time for which it was held back is not its own.
    held = fake.clock.now() + timedelta(seconds=(40 - BEGIN_AT_ONCE) * BEGIN_EVERY_S)
    assert abs(last.plan.deadline - held - timedelta(hours=4)) < timedelta(milliseconds=1)


def test_a_plan_that_is_asked_for_again_holds_the_bake_back_no_longer() -> None:
    fake = FakeWorld(max_bakes=100)
    orders = [order(a_document(name=f"web-{number}"), number) for number in range(20)]
    first = [planned(fake, each).begin_in_s for each in orders]
    fake.clock.move(5)
    assert planned(fake, orders[-1]).begin_in_s == first[-1] - 5
    fake.clock.move(60)
    assert planned(fake, orders[-1]).begin_in_s == 0
    another = planned(fake, order(a_document(name="another"), 99))
    assert another.begin_in_s == 0


def test_a_turn_that_came_free_between_two_looks_is_not_lost() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    planned(fake, first)
    assert planned(fake, second).verdict == "wait"
    ended(fake, first)
    # Nobody could wake it: its token was not kept yet. It looks itself.
    assert waits_no_more(fake, second)


def waits_no_more(fake: FakeWorld, asked: PlanBake) -> bool:
    turn = next(t for t in fake.turns.line().waiting if t.execution == asked.execution)
    wait = {
        "kind": "turn",
        "bake": turn.bake,
        "execution": turn.execution,
        "asked": turn.asked,
        "since": asked.started.isoformat(),
        "timeout_s": 60,
    }
    request = AwaitResource.model_validate({"wait": wait, "state": "AwaitTurn", "token": "late"})
    return await_resource(request, fake.world).done


def test_one_that_was_stopped_is_out_of_the_way_of_whoever_looks() -> None:
    fake = FakeWorld(max_bakes=1)
    holder, dead, alive = (order(a_document(name=n), i) for i, n in enumerate(("a", "b", "c")))
    planned(fake, holder)
    waits(fake, dead)
    token = waits(fake, alive)
    # Both without Teardown.
    fake.machines.over |= {holder.execution, dead.execution}
    assert waits_no_more(fake, alive)
    assert token not in fake.machines.outputs
    assert planned(fake, alive).verdict == "go"
    assert fake.turns.line().waiting == ()


def test_a_teardown_wakes_nobody_who_was_stopped_but_the_one_behind() -> None:
    fake = FakeWorld(max_bakes=1)
    holder, dead, alive = (order(a_document(name=n), i) for i, n in enumerate(("a", "b", "c")))
    planned(fake, holder)
    gone = waits(fake, dead)
    token = waits(fake, alive)
    fake.machines.over.add(dead.execution)
    ended(fake, holder)
    assert gone not in fake.machines.outputs
    assert token in fake.machines.outputs


def test_a_bake_that_waits_too_long_fails_and_says_for_what() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    planned(fake, first)
    fake.clock.move(90_000)
    with pytest.raises(TurnMissed, match=r"for web-\S+, of the same blueprint, for 24 h"):
        waits(fake, second)
    failed = ended(fake, second, Failure(error="TurnMissed", state="AwaitTurn"))
    assert failed.status is BakeStatus.FAILED
    assert fake.turns.line().waiting == ()


def test_a_second_bake_is_refused_where_the_blueprint_says_so() -> None:
    fake = FakeWorld()
    document = a_document(rebuild={"second": "refuse"})
    first, second = order(document, 1), order(document, 2)
    planned(fake, first)
    with pytest.raises(BakeRefused, match=r"web-\S+ is under way, and rebuild.second of web is"):
        planned(fake, second)
    ended(fake, second, Failure(error="BakeRefused", state="PlanBake"))
    records = fake.records.bakes("web")
    assert sorted(r.status for r in records) == [BakeStatus.FAILED, BakeStatus.RUNNING]
    assert len(fake.turns.line().running) == 1


def test_one_that_is_refused_a_second_waits_for_the_others_all_the_same() -> None:
    fake = FakeWorld(max_bakes=1)
    planned(fake, order(a_document(name="app"), 1))
    assert planned(fake, order(a_document(rebuild={"second": "refuse"}), 2)).verdict == "wait"


def test_a_bake_that_waits_is_planned_anew_with_the_base_of_that_time() -> None:
    fake = FakeWorld()
    document = a_document(base={"parameter": "/base"})
    fake.parameters.values["/base"] = an_image().id
    first, second = order(document, 1), order(document, 2)
    planned(fake, first)
    planned(fake, second)
    fake.images.add(an_image(id="ami-000000000000beef"))
    fake.parameters.values["/base"] = "ami-000000000000beef"
    ended(fake, first)
    record = fake.records.bake(planned(fake, second).bake)
    assert record is not None
    assert record.plan.base.id == "ami-000000000000beef"


def test_one_whose_base_is_gone_meanwhile_leaves_the_line_when_it_fails() -> None:
    fake = FakeWorld()
    document = a_document(base={"parameter": "/base"})
    fake.parameters.values["/base"] = an_image().id
    first, second = order(document, 1), order(document, 2)
    planned(fake, first)
    answer = planned(fake, second)
    del fake.parameters.values["/base"]
    ended(fake, first)
    with pytest.raises(BaseImageNotFound):
        planned(fake, second)
    ended(fake, second, Failure(error="BaseImageNotFound", state="PlanBake"))
    # Its execution bears a name of its own; the record is found by what was asked all the same.
    assert status(fake, answer) is BakeStatus.FAILED
    assert fake.turns.line().waiting == ()


def test_planning_again_after_a_crash_takes_no_second_turn() -> None:
    fake = FakeWorld()
    asked = order(a_document(), 1)
    assert planned(fake, asked) == planned(fake, asked)
    assert len(fake.turns.line().running) == 1
    assert fake.bus.types() == ["Bake Started"]


@pytest.mark.parametrize("failure", [None, Failure(error="StepFailed")])
def test_every_end_of_a_bake_gives_its_turn_back_and_again_is_harmless(
    failure: Failure | None,
) -> None:
    fake = FakeWorld()
    asked = order(a_document(), 1)
    planned(fake, asked)
    assert ended(fake, asked, failure) == ended(fake, asked, failure)
    assert fake.turns.line().running == ()


def test_one_that_waited_for_the_same_image_makes_it_not_again() -> None:
    fake = FakeWorld()
    first, second = order(a_document(), 1), order(a_document(), 2)
    made = fake.records.bake(planned(fake, first).bake)
    waits(fake, second)
    assert made is not None
    fake.images.add(an_image(id="ami-00000000000000aa"))
    fake.records.put_image(image_of(made))
    ended(fake, first)
    answer = planned(fake, second)
    assert answer.verdict == "skip"
    assert answer.skipped is not None
    assert answer.skipped.image == "ami-00000000000000aa"
    torn = teardown(Teardown(bake=answer.bake, skipped=answer.skipped, asked=second), fake.world)
    assert (torn.status, torn.image) == (BakeStatus.SKIPPED, "ami-00000000000000aa")
    assert status(fake, answer) is BakeStatus.SKIPPED
    assert fake.turns.line() == Line()
    assert fake.images.describe("ami-00000000000000aa") is not None
