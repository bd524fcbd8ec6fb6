"""What a rollout decides, whatever its layer's instances do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.feed import RolloutOptions, amount_of
from kiln.domain.instance import InstanceState
from kiln.domain.rolling import (
    Add,
    AwaitCanary,
    AwaitConfigured,
    AwaitHealthy,
    AwaitStates,
    Delete,
    Done,
    Lost,
    Member,
    Start,
    Stop,
    next_move,
    undo_move,
)
from kiln.domain.rollout import Rollout
from tests.builders import BAKE, NOW

S = InstanceState


def a_rollout(size: int, strategy: Any = "replace", **options: Any) -> Rollout:
    return Rollout(
        id="r",
        image="ami-1",
        layer="shop/web",
        strategy=strategy,
        bake=BAKE,
        platform="amazon-linux-2023",
        architecture="x86_64",
        options=RolloutOptions(**options),
        before=tuple(f"old{n}" for n in range(size)),
        size=max(size, 1),
    )


class Layer:
    """A layer in which every change that is asked for succeeds."""

    def __init__(self, size: int) -> None:
        self.old = {f"old{n}": S.ONLINE for n in range(size)}
        self.new: dict[str, InstanceState] = {}
        self.fewest = self.most = size

    def members(self, which: dict[str, InstanceState]) -> tuple[Member, ...]:
        return tuple(Member(name, state) for name, state in which.items())

    def do(self, move: Any) -> None:
        if isinstance(move, Add):
            self.new |= {f"new{len(self.new) + n}": S.ONLINE for n in range(move.count)}
        for name in getattr(move, "ids", ()):
            where = self.old if name in self.old else self.new
            if isinstance(move, Delete):
                del where[name]
            else:
                where[name] = S.ONLINE if isinstance(move, Start) else S.STOPPED
        serving = sum(state is S.ONLINE for state in (*self.old.values(), *self.new.values()))
        self.fewest, self.most = min(self.fewest, serving), max(self.most, serving)


def play(rollout: Rollout, layer: Layer) -> list[Any]:
    moves: list[Any] = []
    now = NOW
    while True:
        move = next_move(rollout, layer.members(layer.old), layer.members(layer.new), now)
        moves.append(move)
        assert len(moves) < 5000
        if isinstance(move, AwaitCanary):
            rollout = rollout.model_copy(update={"canary_since": NOW.isoformat()})
            now += timedelta(days=1)
        elif isinstance(move, Done):
            if rollout.committed or not layer.old:
                return moves
            rollout = rollout.model_copy(update={"committed": True})
        else:
            layer.do(move)


AMOUNTS = st.one_of(st.integers(0, 12), st.integers(0, 100).map(lambda n: f"{n}%"))


@given(
    st.integers(0, 12),
    AMOUNTS.filter(lambda n: n not in (0, "0%")),
    AMOUNTS,
    st.sampled_from(["replace", "canary"]),
)
def test_a_layer_changes_over_whole_and_never_serves_from_too_few(
    size: int, batch: Any, surge: Any, strategy: str
) -> None:
    rollout, layer = a_rollout(size, strategy, batch=batch, surge=surge), Layer(size)
    play(rollout, layer)
    assert layer.old == {}
    assert list(layer.new.values()) == [S.ONLINE] * rollout.size
    surging = amount_of(surge, rollout.size)
    least = size if surging else max(0, size - max(1, amount_of(batch, rollout.size)))
    assert layer.fewest >= least
    canary = 1 if strategy == "canary" else 0
    assert layer.most <= rollout.size + max(surging, canary)


@given(st.integers(0, 5), st.integers(1, 8))
def test_add_leaves_what_is_there(size: int, count: int) -> None:
    layer = Layer(size)
    moves = play(a_rollout(0, "add", instances=count), layer)
    assert len(layer.new) == count
    assert set(layer.old.values()) <= {S.ONLINE}
    assert not any(isinstance(move, Stop) for move in moves)


def test_a_canary_serves_alone_for_its_time() -> None:
    rollout = a_rollout(3, "canary", bake_time="10m")
    old = tuple(Member(f"old{n}", S.ONLINE) for n in range(3))
    new = (Member("new0", S.ONLINE),)
    assert next_move(rollout, old, (), NOW) == Add(1)
    assert next_move(rollout, old, new, NOW) == AwaitCanary(("new0",))
    begun = rollout.model_copy(update={"canary_since": NOW.isoformat()})
    assert next_move(begun, old, new, NOW + timedelta(minutes=9)) == AwaitCanary(("new0",))
    assert next_move(begun, old, new, NOW + timedelta(minutes=10)) == Stop(("old0",))


def test_nothing_goes_on_before_what_is_new_is_at_rest_healthy_and_known() -> None:
    rollout, old = a_rollout(1), (Member("old0", S.ONLINE),)

    def move(*new: Member) -> Any:
        return next_move(rollout, old, new, NOW)

    assert move(Member("n", S.STOPPED)) == Start(("n",))
    assert move(Member("n", S.BOOTING)) == AwaitStates(("n",))
    assert move(Member("n", S.ONLINE, healthy=False)) == AwaitHealthy(("n",))
    assert move(Member("n", S.ONLINE, configured=False)) == AwaitConfigured(("n",))
    for state in (S.SETUP_FAILED, S.START_FAILED, S.STOPPING, S.CONNECTION_LOST):
        assert move(Member("n", state), Member("m", S.ONLINE)) == Lost(("n",))
    leaving = (Member("old0", S.SHUTTING_DOWN),)
    assert next_move(rollout, leaving, (), NOW) == AwaitStates(("old0",))


def test_the_way_back_serves_first_and_clears_then() -> None:
    old = (Member("old0", S.STOPPED), Member("old1", S.ONLINE))
    new = (Member("new0", S.ONLINE), Member("new1", S.SETUP_FAILED))
    rollout = a_rollout(2, health_within="10m").model_copy(update={"back_since": NOW.isoformat()})

    def move(old: Any, new: Any, minutes: int = 0) -> Any:
        return undo_move(rollout, old, new, NOW + timedelta(minutes=minutes))

    assert move(old, new) == Start(("old0",))
    coming = (Member("old0", S.BOOTING), old[1])
    assert move(coming, new) == AwaitStates(("old0",))
    sick = (Member("old0", S.ONLINE, healthy=False), old[1])
    assert move(sick, new) == AwaitHealthy(("old0",))
    # They have their time; after it, what failed goes all the same.
    assert move(sick, new, minutes=10) == Stop(("new0", "new1"))
    back = (Member("old0", S.ONLINE), old[1])
    assert move(back, new) == Stop(("new0", "new1"))
    assert move(back, (Member("new0", S.STOPPED),)) == Delete(("new0",))
    assert move(back, ()) == Done()


def test_the_way_back_tells_last_what_it_cannot_mend() -> None:
    rollout, new = a_rollout(2), (Member("new0", S.STOP_FAILED), Member("new1", S.ONLINE))
    old = (Member("old0", S.SETUP_FAILED), Member("old1", S.ONLINE))
    assert undo_move(rollout, old, new, NOW) == Stop(("new1",))
    assert undo_move(rollout, old, new[:1], NOW) == Lost(("old0", "new0"))


def test_an_old_one_that_does_not_stop_or_is_moved_by_others_holds_the_rollout() -> None:
    rollout = a_rollout(2)
    hangs = (Member("old0", S.STOP_FAILED), Member("old1", S.ONLINE))
    assert next_move(rollout, hangs, (), NOW) == Lost(("old0",))
    for state in (S.REBOOTING, S.RUNNING_SETUP):
        assert next_move(rollout, (Member("old0", state),), (), NOW) == AwaitStates(("old0",))


def test_old_ones_that_were_lost_meanwhile_go_too() -> None:
    rollout = a_rollout(1)
    old, new = (Member("old0", S.CONNECTION_LOST),), (Member("new0", S.ONLINE),)
    assert next_move(rollout, old, new, NOW) == Stop(("old0",))


@given(
    st.lists(st.sampled_from([S.ONLINE, S.STOPPED]), max_size=5),
    st.lists(
        st.sampled_from([S.ONLINE, S.STOPPED, S.SETUP_FAILED, S.START_FAILED, S.CONNECTION_LOST]),
        max_size=5,
    ),
)
def test_from_anywhere_the_way_back_ends_as_it_began(
    old: list[InstanceState], new: list[InstanceState]
) -> None:
    layer = Layer(0)
    layer.old = {f"old{n}": state for n, state in enumerate(old)}
    layer.new = {f"new{n}": state for n, state in enumerate(new)}
    for _ in range(100):
        members = layer.members(layer.old), layer.members(layer.new)
        move = undo_move(a_rollout(len(old)), *members, NOW)
        if isinstance(move, Done):
            break
        layer.do(move)
    assert layer.new == {}
    assert set(layer.old.values()) <= {S.ONLINE}
    assert len(layer.old) == len(old)
