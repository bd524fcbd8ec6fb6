"""When an instance counts as lost, and when it may be healed again."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.healing import (
    ONE_IN,
    PAUSES,
    REMEMBERED,
    SILENCE,
    Ping,
    has_room,
    is_lost,
    may_be_healed,
    next_heal,
    with_heal,
)
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.stack import Layer
from tests.builders import NOW, a_stack

S = InstanceState


def an_instance(**known: Any) -> LayerInstance:
    """An online instance of shop/web that has been there for a while."""
    made: dict[str, Any] = {
        "id": "web1-0000000",
        "stack": "shop",
        "layers": ("web",),
        "hostname": "web1",
        "state": S.ONLINE,
        "ec2_id": "i-1",
        "changed_at": (NOW - timedelta(days=3)).isoformat(),
    }
    return LayerInstance(**(made | known))


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("ping", "ec2_state", "lost"),
    [
        (Ping(online=True, heard=ago(seconds=10)), "running", False),
        # An agent pings every five minutes: the time alone says nothing.
        (Ping(online=True, heard=ago(minutes=6)), "running", False),
        (Ping(online=False, heard=ago(minutes=4, seconds=59)), "running", False),
        (Ping(online=False, heard=ago(minutes=5)), "running", True),
        (None, "running", True),
        (Ping(online=False, heard=ago(seconds=10)), "stopping", True),
        (Ping(online=False, heard=ago(seconds=10)), "stopped", True),
        (Ping(online=False, heard=ago(seconds=10)), "terminated", True),
        (Ping(online=False, heard=ago(seconds=10)), "pending", False),
        (None, None, True),
    ],
)
def test_silence_of_five_minutes_or_a_stop_outside_is_a_failure(
    ping: Ping | None, ec2_state: str | None, lost: bool
) -> None:
    assert timedelta(minutes=5) == SILENCE
    assert is_lost(an_instance(), ping, ec2_state, NOW) is lost


def test_one_that_was_never_heard_of_has_five_minutes_from_its_last_change() -> None:
    fresh = an_instance(changed_at=ago(minutes=4).isoformat())
    assert not is_lost(fresh, None, "running", NOW)
    assert is_lost(fresh, None, "running", NOW + timedelta(minutes=1))


def layers(*healing: bool) -> tuple[Layer, ...]:
    web = a_stack().layers[0]
    return tuple(web.model_copy(update={"auto_healing": wanted}) for wanted in healing)


@pytest.mark.parametrize(
    ("healing", "may"), [((True,), True), ((True, True), True), ((True, False), False)]
)
def test_all_layers_of_an_instance_must_allow_it(healing: tuple[bool, ...], may: bool) -> None:
    assert may_be_healed(layers(*healing)) is may


def test_what_belongs_to_an_auto_scaling_group_is_the_groups_to_replace() -> None:
    assert not may_be_healed((a_stack().layers[2],))


def lost(at: datetime, heals: tuple[str, ...]) -> LayerInstance:
    return an_instance(state=S.CONNECTION_LOST, changed_at=at.isoformat(), healed_at=heals)


def test_the_first_heal_is_at_once_and_each_later_one_waits_longer() -> None:
    heals: tuple[str, ...] = ()
    at, waited = NOW, []
    while (due := next_heal(lost(at, heals))) is not None:
        if heals:
            waited.append(due - datetime.fromisoformat(heals[-1]))
        heals = with_heal(lost(at, heals), due)
        at = due + timedelta(minutes=1)
    assert tuple(waited) == PAUSES[1:] == tuple(sorted(PAUSES))[1:]
    assert len(heals) == len(PAUSES)
    # It stays so, however long nobody looks.
    assert next_heal(lost(at, heals)) is None


def test_a_day_of_health_forgets_what_was_before() -> None:
    before = tuple(ago(hours=25 + n).isoformat() for n in (3, 2, 1, 0))
    assert next_heal(lost(NOW, before)) == NOW
    assert next_heal(lost(NOW - timedelta(hours=5), before)) is None


@given(
    st.lists(
        st.tuples(st.floats(0, 100_000), st.floats(0, 40_000)),
        max_size=30,
    )
)
def test_no_day_has_more_heals_than_pauses(failures: list[tuple[float, float]]) -> None:
    """Whenever it is lost again after a heal, and however late the healer looks."""
    heals: tuple[str, ...] = ()
    every: list[datetime] = []
    at = NOW
    for healthy, late in failures:
        at += timedelta(seconds=healthy)
        due = next_heal(lost(at, heals))
        if due is None:
            continue
        assert due >= at
        began = due + timedelta(seconds=late)
        heals = with_heal(lost(at, heals), began)
        every.append(began)
        at = began
    for first, last in zip(every, every[len(PAUSES) :], strict=False):
        assert last - first >= REMEMBERED
    for before, after in itertools.pairwise(every):
        assert after >= before


def some(count: int, healing: int) -> tuple[LayerInstance, ...]:
    busy: dict[str, Any] = {"state": S.BOOTING, "asked_by": "auto-healing"}
    return tuple(an_instance(id=f"web{n}", **(busy if n < healing else {})) for n in range(count))


@given(count=st.integers(1, 60))
def test_a_layer_is_never_healed_as_a_whole(count: int) -> None:
    healing = 0
    while has_room("web", some(count, healing), frozenset()):
        healing += 1
    assert healing == max(1, count // ONE_IN)
    assert count < 2 or healing < count


def test_what_is_about_to_be_healed_takes_room_and_what_is_stopped_gives_none() -> None:
    assert not has_room("web", some(3, 0), frozenset({"web0"}))
    stopped = tuple(an_instance(id=f"old{n}", state=S.STOPPED) for n in range(9))
    assert not has_room("web", (*some(3, 1), *stopped), frozenset())
    assert has_room("db", some(3, 1), frozenset())
