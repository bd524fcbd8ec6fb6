"""Instances by the hour and by load: what is started and stopped, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.hours import change_by_hour
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.load import AlarmState, LoadStep, chosen, direction, step_of, unknown
from kiln.domain.scaling import DAYS, LoadScaling, Scaling, Threshold
from tests.builders import NOW

S = InstanceState
# A Monday, 10:15.
assert NOW.weekday() == 0
AT_TEN: dict[str, Any] = {"monday": (10, 11)}


def an_instance(**known: Any) -> LayerInstance:
    """A stopped instance by the hour, which has an image."""
    made: dict[str, Any] = {
        "id": "web1",
        "stack": "shop",
        "layers": ("web",),
        "hostname": "web1",
        "state": S.STOPPED,
        "image": "ami-1",
        "scaling": Scaling.TIME,
        "hours": AT_TEN,
    }
    return LayerInstance(**(made | known))


def at(hour: int, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("state", "hour", "change"),
    [
        (S.STOPPED, 9, None),
        (S.STOPPED, 10, "start"),
        (S.STOPPED, 12, None),
        (S.ONLINE, 11, None),
        (S.ONLINE, 12, "stop"),
        (S.SETUP_FAILED, 12, "stop"),
        (S.START_FAILED, 12, "stop"),
        (S.CONNECTION_LOST, 12, "stop"),
        # On its way already, or never started again by itself.
        (S.BOOTING, 12, None),
        (S.STOPPING, 10, None),
        (S.START_FAILED, 10, None),
    ],
)
def test_an_instance_runs_in_its_hours_and_in_no_others(
    state: S, hour: int, change: str | None
) -> None:
    assert change_by_hour(an_instance(state=state), at(hour)) == change


@pytest.mark.parametrize("scaling", [Scaling.ALWAYS, Scaling.LOAD])
def test_hours_are_for_those_by_the_hour(scaling: Scaling) -> None:
    assert change_by_hour(an_instance(scaling=scaling), at(10)) is None


def test_there_is_nothing_to_start_before_a_layer_has_taken_an_image() -> None:
    assert change_by_hour(an_instance(image=None), at(10)) is None
    assert change_by_hour(an_instance(image=None, ec2_id="i-1"), at(10)) == "start"


def test_what_its_user_did_stays_until_the_next_hour_begins() -> None:
    stopped = an_instance(asked_by="user", changed_at=at(10, 5).isoformat())
    assert change_by_hour(stopped, at(10, 59)) is None
    assert change_by_hour(stopped, at(11)) == "start"
    started = an_instance(state=S.ONLINE, asked_by="user", changed_at=at(12, 5).isoformat())
    assert change_by_hour(started, at(12, 59)) is None
    assert change_by_hour(started, at(13)) == "stop"


def test_what_kiln_did_is_done_again_as_soon_as_the_hours_change() -> None:
    started = an_instance(
        state=S.ONLINE, asked_by="auto-scaling", changed_at=at(10, 5).isoformat(), hours={}
    )
    assert change_by_hour(started, at(10, 6)) == "stop"


def test_a_stop_that_failed_is_tried_again_an_hour_later() -> None:
    failed = an_instance(
        state=S.STOP_FAILED, asked_by="auto-scaling", changed_at=at(12, 20).isoformat()
    )
    assert change_by_hour(failed, at(12, 21)) is None
    assert change_by_hour(failed, at(13)) == "stop"


HOURS = st.dictionaries(st.sampled_from(DAYS), st.frozensets(st.integers(0, 23)).map(tuple))


@given(
    hours=HOURS,
    moment=st.datetimes(timezones=st.just(UTC)),
    state=st.sampled_from(sorted(S)),
    asked_by=st.sampled_from(["user", "auto-scaling", None]),
)
def test_a_start_is_for_an_hour_on_and_a_stop_for_an_hour_off(
    hours: Any, moment: datetime, state: S, asked_by: Any
) -> None:
    change = change_by_hour(an_instance(hours=hours, state=state, asked_by=asked_by), moment)
    on = moment.hour in hours.get(DAYS[moment.weekday()], ())
    assert change in ({"start", None} if on else {"stop", None})
    assert change != "start" or state is S.STOPPED
    assert change != "stop" or state is not S.STOPPED


# ---------------------------------------------------------------- load

LOAD = LoadScaling(
    up=Threshold(alarms=("busy",), instances=2, wait="5m", ignore="10m"),
    down=Threshold(alarms=("idle",), instances=1, wait="10m", ignore="20m"),
)


def alarms(busy: str = "OK", idle: str = "OK", minutes: float = 60) -> dict[str, AlarmState]:
    since = NOW - timedelta(minutes=minutes)
    return {
        "busy": AlarmState(value=busy, since=since),
        "idle": AlarmState(value=idle, since=since),
    }


def a_step(minutes_ago: float, change: str = "start") -> LoadStep:
    threshold = LOAD.up if change == "start" else LOAD.down
    began = NOW - timedelta(minutes=minutes_ago)
    return step_of("shop/web", change, threshold, (), began)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "last", "way"),
    [
        (alarms(), None, None),
        (alarms(busy="ALARM", minutes=4.9), None, None),
        (alarms(busy="ALARM", minutes=5), None, "start"),
        (alarms(idle="ALARM", minutes=5), None, None),
        (alarms(idle="ALARM", minutes=10), None, "stop"),
        # More before less.
        (alarms(busy="ALARM", idle="ALARM"), None, "start"),
        (alarms(busy="ALARM"), a_step(9.9), None),
        (alarms(busy="ALARM"), a_step(10), "start"),
        (alarms(busy="ALARM"), a_step(19.9, "stop"), None),
        (alarms(idle="ALARM"), a_step(10), "stop"),
        # An alarm without data blocks both ways.
        (alarms(busy="ALARM", idle="INSUFFICIENT_DATA"), None, None),
        ({"busy": AlarmState(value="ALARM", since=NOW - timedelta(hours=1))}, None, None),
    ],
)
def test_an_alarm_must_last_and_a_step_holds_the_next_one_back(
    seen: dict[str, AlarmState], last: LoadStep | None, way: str | None
) -> None:
    assert direction(LOAD, seen, last, NOW) == way


def test_an_alarm_that_says_nothing_is_named() -> None:
    assert unknown(LOAD, alarms()) is None
    assert unknown(LOAD, alarms(idle="INSUFFICIENT_DATA")) == "idle"
    assert unknown(LOAD, {"idle": AlarmState(value="OK", since=NOW)}) == "busy"


def by_load(number: int, state: S, **known: Any) -> LayerInstance:
    made = {"id": f"web{number}", "hostname": f"web{number}", "scaling": Scaling.LOAD}
    return an_instance(**(made | {"state": state, "hours": {}} | known))


def test_the_first_are_started_and_only_those_that_there_are() -> None:
    layer = (
        *(by_load(n, S.STOPPED) for n in (10, 9, 2)),
        by_load(1, S.STOPPED, scaling=Scaling.ALWAYS),
        by_load(3, S.STOPPED, image=None),
        by_load(4, S.START_FAILED),
    )
    assert [e.hostname for e in chosen("start", LOAD, layer)] == ["web2", "web9"]
    assert chosen("start", LOAD, (by_load(1, S.ONLINE),)) == ()


def test_the_last_are_stopped_and_the_broken_before_all() -> None:
    online = tuple(by_load(n, S.ONLINE) for n in (2, 10, 9))
    assert [e.hostname for e in chosen("stop", LOAD, online)] == ["web10"]
    broken = by_load(3, S.SETUP_FAILED)
    assert [e.hostname for e in chosen("stop", LOAD, (*online, broken))] == ["web3"]
    always = by_load(5, S.ONLINE, scaling=Scaling.ALWAYS)
    assert chosen("stop", LOAD, (always,)) == ()


@given(
    states=st.lists(st.sampled_from(sorted(S)), max_size=12),
    change=st.sampled_from(["start", "stop"]),
)
def test_a_step_is_of_existing_instances_and_no_larger_than_asked(
    states: list[S], change: Any
) -> None:
    layer = tuple(by_load(n, state) for n, state in enumerate(states))
    found = chosen(change, LOAD, layer)
    assert all(entry in layer for entry in found)
    assert len(found) <= (LOAD.up if change == "start" else LOAD.down).instances
    assert len({e.id for e in found}) == len(found)
