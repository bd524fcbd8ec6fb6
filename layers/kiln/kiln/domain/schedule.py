"""When a schedule expression is due: `rate(...)`, `cron(...)` with EventBridge's six fields,
`at(...)`. What a blueprint may say of them.

Fields, wildcards and limits: EventBridge User Guide, "Setting a schedule pattern for scheduled
rules"; times of day that a clock change leaves out or has twice: EventBridge Scheduler User Guide,
"Schedule types in EventBridge Scheduler".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_SATURDAY = 7


class InvalidSchedule(ValueError):
    """An expression that EventBridge refuses; the text says which part."""


def _is_number(text: str) -> bool:
    # Python would take digits of other scripts, too.
    return text.isascii() and text.isdigit()


@dataclass(frozen=True)
class _Field:
    """A field of plain values: its name, its smallest and largest value, the names of values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """All values that a text of commas, dashes, asterisks and slashes names."""
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> Iterator[int]:
        span, slash, step = part.partition("/")
        low, high = self._span(span, open_end=bool(slash))
        if slash and not (_is_number(step) and int(step)):
            raise InvalidSchedule(f"{self.name}: {part!r} has no step above 0")
        # FRI-MON and 22-2 go round.
        size = self.high - self.low + 1
        for offset in range(0, (high - low) % size + 1, int(step or 1)):
            yield self.low + (low - self.low + offset) % size

    def _span(self, span: str, open_end: bool) -> tuple[int, int]:
        if span == "*":
            return self.low, self.high
        low, dash, high = span.partition("-")
        first = self.one(low)
        if dash:
            return first, self.one(high)
        return first, self.high if open_end else first

    def one(self, text: str) -> int:
        """A single value, by number or name."""
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if not _is_number(text) or not self.low <= int(text) <= self.high:
            raise InvalidSchedule(f"{self.name}: {text!r} is not in {self.low}-{self.high}")
        return int(text)


_MINUTE, _HOUR = _Field("minutes", 0, 59), _Field("hours", 0, 23)
_DATE, _MONTH = _Field("day-of-month", 1, 31), _Field("month", 1, 12, _MONTHS)
_DAY, _YEAR = _Field("day-of-week", 1, 7, _DAYS), _Field("year", 1970, 2199)
_Days = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """A cron expression in a time zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    is_day: _Days
    months: frozenset[int]
    years: frozenset[int]
    zone: tzinfo

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, aware, UTC; None where there is none any more."""
        for day in self._days(moment.astimezone(self.zone).date()):
            for hour in self.hours:
                for minute in self.minutes:
                    due = _real(datetime.combine(day, time(hour, minute)), self.zone)
                    if due and due > moment:
                        return due
        return None

    def _days(self, day: date) -> Iterator[date]:
        last = max(self.years)
        while day.year <= last:
            if day.year not in self.years or day.month not in self.months:
                day = _next_month(day)
                continue
            if self.is_day(day):
                yield day
            day += timedelta(days=1)


@dataclass(frozen=True)
class Rate:
    """A rate, counted from when its schedule began."""

    every: timedelta
    begin: datetime

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, None where no calendar goes so far."""
        try:
            return self.begin + ((moment - self.begin) // self.every + 1) * self.every
        except OverflowError:
            return None


@dataclass(frozen=True)
class At:
    """One time."""

    time: datetime

    def after(self, moment: datetime) -> datetime | None:
        """That time, if it is still to come."""
        return self.time if self.time > moment else None


Expression = Cron | Rate | At
# The first moment that a cron expression can name.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# EventBridge Scheduler API, CreateSchedule: ScheduleExpression and ScheduleExpressionTimezone.
_LONGEST, _LONGEST_ZONE = 256, 50
# What a system keeps among its time zones and IANA does not name.
_NO_NAMES = frozenset({"Factory", "SystemV"})


def check_recurring(text: str) -> str:
    """An expression that comes again and again, as it was given. Raises InvalidSchedule."""
    if len(text) > _LONGEST:
        raise InvalidSchedule(f"has {len(text)} characters; allowed: at most {_LONGEST}")
    if text.strip().startswith("at("):
        raise InvalidSchedule(f"{text!r} comes once; give cron(...) or rate(...)")
    if parse(text, "UTC", _EVER).after(_EVER) is None:
        raise InvalidSchedule(f"{text!r} is never due: no date is like that")
    return text


def check_time_zone(name: str) -> str:
    """A time zone's name, as it was given. Raises InvalidSchedule."""
    plain = name.isascii() and name[:1].isupper() and len(name) <= _LONGEST_ZONE
    if not plain or name.partition("/")[0] in _NO_NAMES:
        raise _no_zone(name)
    _zone(name)
    return name


def parse(text: str, zone: str, begin: datetime) -> Expression:
    """An expression; rates count from `begin`. Raises InvalidSchedule."""
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", text.strip())
    if found is None:
        raise InvalidSchedule(f"{text!r} is none of rate(...), cron(...), at(...)")
    kind, inner = found.groups()
    if kind == "rate":
        return Rate(_every(inner), begin)
    return _cron(inner, _zone(zone)) if kind == "cron" else At(_at(inner, _zone(zone)))


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        # Known without a data base of zones.
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # A folder of zones, or a name too long for a file, is an error of the system's.
        raise _no_zone(name) from error


def _no_zone(name: str) -> InvalidSchedule:
    return InvalidSchedule(f"{name[:60]!r} is no time zone; one is called UTC or Europe/Berlin")


def _every(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]*) (minute|hour|day)(s?)", text)
    if found is None:
        raise InvalidSchedule(f"rate({text}) is not a number above 0 of minutes, hours or days")
    try:
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    except (OverflowError, ValueError) as error:
        raise InvalidSchedule(f"rate({text[:20]}...) is longer than any calendar") from error


def _at(text: str, zone: tzinfo) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        raise InvalidSchedule(f"at({text}) is not of the form at(yyyy-mm-ddThh:mm:ss)")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except ValueError as error:
        raise InvalidSchedule(f"at({text}): {error}") from error


def _cron(text: str, zone: tzinfo) -> Cron:
    fields = text.split()
    if len(fields) != 6:
        raise InvalidSchedule(f"cron({text}) has {len(fields)} fields, not 6")
    minute, hour, in_month, month, in_week, year = fields
    if (in_month == "?") == (in_week == "?"):
        raise InvalidSchedule(
            f"cron({text}): one of day-of-month and day-of-week is ?, and only one"
        )
    return Cron(
        minutes=tuple(sorted(_MINUTE.values(minute))),
        hours=tuple(sorted(_HOUR.values(hour))),
        is_day=_in_week(in_week) if in_month == "?" else _in_month(in_month),
        months=_MONTH.values(month),
        years=_YEAR.values(year),
        zone=zone,
    )


def _in_month(text: str) -> _Days:
    """Days of the month: numbers, L (the last), L-2, 15W (the weekday nearest), LW."""
    if found := re.fullmatch(r"L(?:-([0-9]+))?", text):
        back = _DATE.one(found[1]) if found[1] else 0
        return lambda day: day.day == _last(day) - back
    if text == "LW":
        return lambda day: day.day == _weekday_near(day, _last(day))
    if found := re.fullmatch(r"([0-9]+)W", text):
        near = _DATE.one(found[1])
        return lambda day: near <= _last(day) and day.day == _weekday_near(day, near)
    dates = _DATE.values(text)
    return lambda day: day.day in dates


def _in_week(text: str) -> _Days:
    """Days of the week: 1-7 from Sunday, L (Saturday), 6L (the last Friday), 3#2 (the second
    Tuesday)."""
    if text == "L":
        return lambda day: _of_week(day) == _SATURDAY
    if found := re.fullmatch(r"(\w+)L", text):
        last = _DAY.one(found[1])
        return lambda day: _of_week(day) == last and day.day > _last(day) - 7
    if "#" in text:
        name, _, count = text.partition("#")
        nth, week = _DAY.one(name), _Field("day-of-week, after #", 1, 5).one(count)
        return lambda day: _of_week(day) == nth and (day.day - 1) // 7 + 1 == week
    days = _DAY.values(text)
    return lambda day: _of_week(day) in days


def _of_week(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_near(day: date, wanted: int) -> int:
    """The date of the weekday nearest to one, within its month."""
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < _last(day) else wanted - 2
    return wanted


def _next_month(day: date) -> date:
    return day.replace(day=1) + timedelta(days=_last(day))


def _real(local: datetime, zone: tzinfo) -> datetime | None:
    """A local time as UTC: none where a clock change leaves it out, the first where it comes
    twice."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    there = moment.astimezone(zone).replace(tzinfo=None) == local
    return moment if there else None
