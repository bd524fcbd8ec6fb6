"""When instances run: always, by the hour of the week, or by load."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints

from kiln.domain.durations import Duration, seconds
from kiln.domain.model import Model, Text

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)
Hour = Annotated[int, Field(ge=0, le=23)]
Hours = dict[Day, tuple[Hour, ...]]
# A name that DNS and /etc/hosts take (RFC 1123, one label).
Hostname = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Scaling(StrEnum):
    """Who starts and stops an instance: its user, the hour, or the load. OpsWorks called the first
    24/7 (opsworks guide, "Managing load with time-based and load-based instances")."""

    ALWAYS = "always"
    TIME = "time"
    LOAD = "load"


def _minutes(duration: str) -> str:
    # ThresholdsWaitTime and IgnoreMetricsTime of OpsWorks: 1 to 100 minutes.
    if not 60 <= seconds(duration) <= 6000:
        raise ValueError(f"{duration!r} is out of range; allowed: 1m to 100m")
    return duration


Patience = Annotated[Duration, AfterValidator(_minutes)]


class Threshold(Model):
    """`instances` are started or stopped once one of `alarms` has been in ALARM for `wait`; then
    nothing happens for `ignore`."""

    alarms: Annotated[tuple[Text, ...], Field(min_length=1, max_length=5)]
    instances: Annotated[int, Field(ge=1, le=100)] = 1
    wait: Patience = "5m"
    ignore: Patience = "5m"


class LoadScaling(Model):
    """When a layer's load-based instances are started and stopped."""

    up: Threshold
    down: Threshold


class PlannedInstance(Model):
    """An instance that `kiln apply` writes down; it launches nothing."""

    hostname: Hostname
    scaling: Scaling = Scaling.ALWAYS
    hours: Hours = {}
    instance_type: Text | None = None
    also_in: tuple[Text, ...] = ()


def is_hour(hours: Hours, moment: datetime) -> bool:
    """Whether a weekly map of UTC hours has the hour of this moment."""
    now = moment.astimezone(UTC)
    return now.hour in hours.get(DAYS[now.weekday()], ())
