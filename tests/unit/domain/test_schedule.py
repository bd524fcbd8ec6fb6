"""When a schedule expression is due."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.schedule import InvalidSchedule, parse

BEGIN = datetime(2022, 1, 28, 12, 0, tzinfo=UTC)


def times(text: str, count: int = 3, zone: str = "UTC", begin: datetime = BEGIN) -> list[str]:
    """The first times of an expression after a moment, in UTC."""
    known, found, moment = parse(text, zone, begin), [], begin
    while len(found) < count and (due := known.after(moment)):
        found.append(f"{due:%a %Y-%m-%d %H:%M}")
        moment = due
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("0/15 9-17 ? * MON-FRI *", ["Fri 2022-01-28 12:15", "Fri 2022-01-28 12:30"]),
        ("10/15 * * * ? *", ["Fri 2022-01-28 12:10", "Fri 2022-01-28 12:25"]),
        ("0 10 * * ? *", ["Sat 2022-01-29 10:00", "Sun 2022-01-30 10:00"]),
        ("0 8 1 * ? *", ["Tue 2022-02-01 08:00", "Tue 2022-03-01 08:00"]),
        ("0 8 ? FEB,mar 1 *", ["Sun 2022-02-06 08:00", "Sun 2022-02-13 08:00"]),
        ("0 8 ? * 3,5 *", ["Tue 2022-02-01 08:00", "Thu 2022-02-03 08:00"]),
        ("5 0 ? * FRI-MON *", ["Sat 2022-01-29 00:05", "Sun 2022-01-30 00:05"]),
        ("0 22-2/2 * * ? *", ["Fri 2022-01-28 22:00", "Sat 2022-01-29 00:00"]),
        ("0 0 L * ? *", ["Mon 2022-01-31 00:00", "Mon 2022-02-28 00:00"]),
        ("0 0 L-2 * ? *", ["Sat 2022-01-29 00:00", "Sat 2022-02-26 00:00"]),
        ("0 0 LW 4,12 ? *", ["Fri 2022-04-29 00:00", "Fri 2022-12-30 00:00"]),
        ("0 8 1W 1,5,10 ? *", ["Mon 2022-05-02 08:00", "Mon 2022-10-03 08:00"]),
        ("0 8 15W 1,5,10 ? *", ["Mon 2022-05-16 08:00", "Fri 2022-10-14 08:00"]),
        ("0 8 31W 4,7 ? *", ["Fri 2022-07-29 08:00", "Mon 2023-07-31 08:00"]),
        ("0 0 ? * L *", ["Sat 2022-01-29 00:00", "Sat 2022-02-05 00:00"]),
        ("15 10 ? * 6L 2022-2023", ["Fri 2022-02-25 10:15", "Fri 2022-03-25 10:15"]),
        ("0 10 ? * 2#1 *", ["Mon 2022-02-07 10:00", "Mon 2022-03-07 10:00"]),
        ("0 10 ? * SAT#5 *", ["Sat 2022-01-29 10:00", "Sat 2022-04-30 10:00"]),
        ("0 0 29 2 ? *", ["Thu 2024-02-29 00:00", "Tue 2028-02-29 00:00"]),
        ("0 0 1 1 ? 2190", ["Fri 2190-01-01 00:00"]),
        ("0 0 30 2 ? *", []),
        ("0 0 1 1 ? 2021", []),
    ],
)
def test_a_cron_expression_is_due_when_the_guide_says(fields: str, expected: list[str]) -> None:
    assert times(f"cron({fields})", 2) == expected


def test_a_time_that_a_clock_change_leaves_out_is_skipped() -> None:
    begin = datetime(2022, 3, 26, 12, tzinfo=UTC)
    found = times("cron(30 2 * * ? *)", 2, "Europe/Berlin", begin)
    assert found == ["Mon 2022-03-28 00:30", "Tue 2022-03-29 00:30"]


def test_a_time_that_a_clock_change_has_twice_is_due_once() -> None:
    begin = datetime(2022, 10, 29, 12, tzinfo=UTC)
    found = times("cron(30 2 * * ? *)", 2, "Europe/Berlin", begin)
    assert found == ["Sun 2022-10-30 00:30", "Mon 2022-10-31 01:30"]


def test_days_of_a_rate_have_24_hours_whatever_the_clocks_do() -> None:
    begin = datetime(2022, 3, 26, 12, tzinfo=UTC)
    found = times("rate(1 days)", 2, "Europe/Berlin", begin)
    assert found == ["Sun 2022-03-27 12:00", "Mon 2022-03-28 12:00"]


def test_a_single_time_is_due_once_in_its_zone() -> None:
    assert times("at(2022-06-01T09:00:00)", 2, "America/New_York") == ["Wed 2022-06-01 13:00"]
    assert times("at(2021-06-01T09:00:00)") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("every minute", "none of rate"),
        ("rate(0 minutes)", "above 0"),
        ("rate(5 seconds)", "minutes, hours or days"),
        ("at(2022-06-01)", "at(yyyy-mm-ddThh:mm:ss)"),
        ("at(2022-13-01T00:00:00)", "month must be"),
        ("cron(0 8 * * ?)", "5 fields, not 6"),
        ("cron(0 8 * * * *)", "only one"),
        ("cron(0 8 ? * ? *)", "only one"),
        ("cron(60 8 * * ? *)", "minutes: '60' is not in 0-59"),
        ("cron(0 24 * * ? *)", "hours: '24'"),
        ("cron(0 8 0 * ? *)", "day-of-month: '0'"),
        ("cron(0 8 ? * 0 *)", "day-of-week: '0'"),
        ("cron(0 8 ? * 2#6 *)", "after #: '6'"),
        ("cron(0 8 ? FOO 2 *)", "month: 'FOO'"),
        ("cron(0 8 * * ? 1969)", "year: '1969'"),
        ("cron(0/0 8 * * ? *)", "no step above 0"),
    ],
)
def test_what_eventbridge_refuses_is_refused_with_its_part(text: str, said: str) -> None:
    with pytest.raises(InvalidSchedule) as refused:
        parse(text, "UTC", BEGIN)
    assert said in str(refused.value)


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="no time zone"):
        parse("cron(0 8 * * ? *)", "Mars/Olympus", BEGIN)


@given(
    begin=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    day=st.integers(1, 31),
)
def test_the_weekday_nearest_to_a_date_is_a_weekday_at_most_two_days_off(
    begin: datetime, day: int
) -> None:
    due = parse(f"cron(0 0 {day}W * ? *)", "UTC", BEGIN).after(begin.replace(tzinfo=UTC))
    assert due is not None
    assert due.weekday() < 5
    wanted = due.replace(day=min(day, calendar.monthrange(due.year, due.month)[1]))
    assert due.month == wanted.month
    assert abs(due.day - day) <= 2


@given(
    begin=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_daily_time_comes_within_two_days_and_never_twice_a_day(
    begin: datetime, minute: int, hour: int, zone: str
) -> None:
    known = parse(f"cron({minute} {hour} * * ? *)", zone, BEGIN)
    first = known.after(begin.replace(tzinfo=UTC))
    assert first
    second = known.after(first)
    assert second
    assert first - begin.replace(tzinfo=UTC) <= timedelta(hours=49)
    assert timedelta(hours=22) <= second - first <= timedelta(hours=49)
