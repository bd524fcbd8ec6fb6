"""Taking turns: the promises of the port, kept by the fake and by DynamoDB alike, whatever happens
in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from kiln.adapters.pauses import DynamoPauses
from kiln.adapters.turns import DynamoTurns
from kiln.domain.pausing import Pause
from kiln.domain.turns import Line, Turn, turn_for
from kiln.domain.waiting import BakeTurn, WaitingToken, turn_of
from kiln.ports import Pauses, Turns
from kiln.steps._turns import give_back, line_for, take_turn
from tests.builders import NOW
from tests.fakes import FakeClock, FakeWorld
from tests.fakes.turns import FakePauses, FakeTurns
from tests.moto_clients import mock_aws, moto_client


def a_table(name: str = "kiln") -> Any:
    """A client of a fresh table on moto."""
    client = moto_client("dynamodb")
    keys = [("PK", "HASH"), ("SK", "RANGE")]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
    )
    return client


@pytest.fixture
def clock() -> FakeClock:
    """The time of the turns."""
    return FakeClock()


@pytest.fixture(params=["fake", "dynamodb"])
def turns(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Turns]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeTurns(now=clock.now)
        return
    with mock_aws():
        yield DynamoTurns(a_table(), "kiln", clock)


@pytest.fixture(params=["fake", "dynamodb"])
def pauses(request: pytest.FixtureRequest) -> Iterator[Pauses]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakePauses()
        return
    with mock_aws():
        yield DynamoPauses(a_table(), "kiln")


def a_turn(blueprint: str, second: int) -> Turn:
    """A bake that asked so many seconds after the others' morning."""
    asked = NOW + timedelta(seconds=second)
    return turn_for(f"{blueprint}-{asked:%Y%m%d-%H%M%S}-9f3a", f"execution-{second}", asked)


WEB, APP, SECOND = a_turn("web", 1), a_turn("app-1", 2), a_turn("web", 3)


def test_a_turn_is_for_one_bake_of_a_blueprint_and_so_many_of_all(turns: Turns) -> None:
    assert turns.line() == Line()
    assert turns.take(WEB, 2)
    assert not turns.take(SECOND, 2)
    assert not turns.take(WEB, 2)
    assert turns.take(APP, 2)
    assert not turns.take(a_turn("api", 4), 2)
    assert set(turns.line().running) == {WEB, APP}


def test_a_crowd_begins_one_after_the_other_and_few_begin_at_once(
    turns: Turns, clock: FakeClock
) -> None:
    found = [turns.next_begin(2.0, 3) for _ in range(6)]
    assert found == [-4, -2, 0, 2, 4, 6]
    clock.move(3)
    assert turns.next_begin(2.0, 3) == 5
    # After a while without any it is as at first.
    clock.move(600)
    assert [turns.next_begin(2.0, 3) for _ in range(4)] == [-4, -2, 0, 2]


def test_a_turn_is_given_back_once_and_by_its_own_bake(turns: Turns) -> None:
    turns.take(WEB, 1)
    turns.free(SECOND.bake)
    assert turns.line().running == (WEB,)
    for _ in range(2):
        turns.free(WEB.bake)
    assert turns.line().running == ()
    # Nothing was counted twice: there is one turn, and not two.
    assert turns.take(APP, 1)
    assert not turns.take(SECOND, 1)


def test_the_line_is_in_the_order_of_asking_and_knows_nobody_who_has_a_turn(turns: Turns) -> None:
    for turn in (SECOND, WEB, APP, APP):
        turns.stand(turn)
    assert turns.line().waiting == (WEB, APP, SECOND)
    turns.take(WEB, 5)
    assert turns.line().waiting == (APP, SECOND)
    for turn in (WEB, WEB, APP, SECOND):
        turns.leave(turn)
    assert turns.line() == Line(running=(WEB,))


def test_a_row_of_failures_counts_a_bake_once_and_each_version_for_itself(pauses: Pauses) -> None:
    assert pauses.failed("web", 7, "b") == ("b",)
    assert pauses.failed("web", 7, "b") == ("b",)
    assert pauses.failed("web", 7, "a") == ("a", "b")
    assert pauses.failed("web", 8, "c") == ("c",)
    pauses.clear("web", 7)
    assert pauses.failed("web", 7, "d") == ("d",)


def test_a_pause_is_kept_until_it_is_lifted(pauses: Pauses) -> None:
    pause = Pause(reason="r", since=NOW.isoformat(), by="kiln", version=7)
    assert pauses.paused("web") is None
    pauses.pause("web", pause)
    assert (pauses.paused("web"), pauses.paused("app")) == (pause, None)
    for _ in range(2):
        pauses.lift("web")
    assert pauses.paused("web") is None


class Bakes(RuleBasedStateMachine):
    """Bakes that begin, look, end and die in any order, several steps of them at the same time.

    Kept here, apart from what the product keeps: which executions are alive, which of them bake.
    """

    alive = Bundle("alive")

    def turns(self) -> Turns:
        """What is tested."""
        return FakeTurns()

    @initialize(most=st.integers(1, 3))
    def begin(self, most: int) -> None:
        """A deployment."""
        self.fake = FakeWorld(max_bakes=most)
        self.fake.turns = self.turns()  # type: ignore[assignment]
        self.numbers = count(1)
        self.baking: dict[str, Turn] = {}
        self.waiting: dict[str, Turn] = {}

    @rule(target=alive, names=st.lists(st.sampled_from(["web", "app", "api"]), max_size=3))
    def start(self, names: list[str]) -> Any:
        """Executions begin."""
        begun = [a_turn(name, next(self.numbers)) for name in names]
        for turn in begun:
            self.fake.machines.started[turn.execution] = {}
            self._plan(turn)
        return multiple(*begun)

    def _plan(self, turn: Turn) -> None:
        """PlanBake, and AwaitTurn where that has to be."""
        if take_turn(turn, self.fake.world):
            return self._goes(turn)
        self.fake.turns.stand(turn)
        self.waiting[turn.bake] = turn
        self._wait(turn)
        return None

    def _wait(self, turn: Turn) -> None:
        wait = BakeTurn(
            kind="turn",
            since=NOW.isoformat(),
            timeout_s=600,
            **turn.model_dump(),
        )
        token = WaitingToken(
            wait=wait, state="AwaitTurn", token=f"{turn.bake} {next(self.numbers)}"
        )
        self.fake.waits.keep(turn_of(turn.bake), token)
        if line_for(turn, self.fake.world):
            self._plan(turn)

    def _goes(self, turn: Turn) -> None:
        self.waiting.pop(turn.bake, None)
        taken = {other.blueprint for other in self.baking.values()}
        room = self.fake.max_bakes - len(self.baking)
        for other in sorted(self.waiting.values(), key=lambda waiting: waiting.place):
            if other.place < turn.place and other.blueprint not in taken:
                taken.add(other.blueprint)
                room -= 1
        assert room > 0, "it went before one that was first"
        self.baking[turn.bake] = turn

    @rule(turn=consumes(alive))
    def end(self, turn: Turn) -> None:
        """A bake ends, or fails where it waits: Teardown, which wakes whom it may."""
        self._forget(turn)
        give_back(turn.bake, self.fake.world)
        self.fake.machines.over.add(turn.execution)
        give_back(turn.bake, self.fake.world)
        self._woken()

    def _woken(self) -> None:
        for token in list(self.fake.machines.outputs):
            del self.fake.machines.outputs[token]
            turn = self.waiting.get(token.split()[0])
            if turn:
                self._plan(turn)

    @rule(turn=consumes(alive))
    def die(self, turn: Turn) -> None:
        """It is stopped from outside: no Teardown."""
        self.fake.machines.over.add(turn.execution)
        self._forget(turn)

    def _forget(self, turn: Turn) -> None:
        self.baking.pop(turn.bake, None)
        self.waiting.pop(turn.bake, None)

    @rule(turn=alive)
    def look_again(self, turn: Turn) -> None:
        """A heartbeat, or a retry of PlanBake whose answer was lost."""
        if turn.bake in self.waiting:
            self._wait(turn)
        elif turn.bake in self.baking:
            assert take_turn(turn, self.fake.world)

    @rule(turn=alive)
    def crash_with_a_turn(self, turn: Turn) -> None:
        """PlanBake takes the turn and is gone before it leaves the line; its retry comes later."""
        world = self.fake.world
        if turn.bake in self.waiting and line_for(turn, world):
            world.turns.take(turn, self.fake.max_bakes)

    @rule(turns=st.lists(alive, max_size=3, unique_by=lambda turn: turn.bake))
    def look_then_take(self, turns: list[Turn]) -> None:
        """Several look before any of them takes."""
        world = self.fake.world
        able = [t for t in turns if t.bake in self.waiting and line_for(t, world)]
        for turn in able:
            self._plan(turn)

    @invariant()
    def rules_are_kept(self) -> None:
        """One of a blueprint, so many of all."""
        names = [turn.blueprint for turn in self.baking.values()]
        assert len(names) == len(set(names))
        assert len(names) <= self.fake.max_bakes

    def teardown(self) -> None:
        """Nobody waits for ever: everything that bakes ends or dies, whoever waits looks again."""
        for number in range(2 * len(self.waiting) + 2):
            for turn in list(self.baking.values()):
                self.die(turn) if number % 2 else self.end(turn)
            for turn in sorted(self.waiting.values(), key=lambda t: t.place, reverse=True):
                if turn.bake in self.waiting:
                    self._wait(turn)
        assert self.waiting == {}


class OnDynamo(Bakes):
    """The same on moto's table."""

    def turns(self) -> Turns:
        self.mock = mock_aws()
        self.mock.start()
        return DynamoTurns(a_table(), "kiln", FakeClock())

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.mock.stop()


TestBakes = Bakes.TestCase
TestBakes.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOnDynamo = OnDynamo.TestCase
TestOnDynamo.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
TestOnDynamo.pytestmark = [pytest.mark.long]
