"""How a layer takes images: from which blueprint, by which strategy, with which care."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kiln.domain.channel import Channel
from kiln.domain.durations import Duration
from kiln.domain.model import Model, Text
from kiln.errors import InvalidBlueprint

Strategy = Literal["add", "replace", "canary", "none"]


_PERCENTAGE = re.compile(r"^([0-9]{1,3})%$")


def _amount(value: int | str) -> int | str:
    if isinstance(value, int):
        number, most = value, 1000
    else:
        found = _PERCENTAGE.match(value)
        number, most = int(found[1]) if found else -1, 100
    if not 0 <= number <= most:
        raise ValueError(f"{value!r} is neither a number of instances nor a percentage such as 25%")
    return value


# `2` or `25%` of the layer's size.
Amount = Annotated[int | str, AfterValidator(_amount)]


def amount_of(amount: int | str, size: int) -> int:
    """The instances that an amount means, a percentage rounded up."""
    if isinstance(amount, int):
        return amount
    return math.ceil(size * int(amount.removesuffix("%")) / 100)


class RolloutOptions(Model):
    """How a rollout goes about it.

    `batch` instances are replaced at a time, `surge` of them started before any is stopped.
    `bake_time` is how long a canary serves before the rest follows. Any of `alarms` in ALARM fails
    the rollout. `health_within` is how long a new instance may take until its target groups find it
    healthy.
    """

    instances: Annotated[int, Field(ge=1, le=1000)] = 1
    batch: Amount = 1
    surge: Amount = 1
    bake_time: Duration = "10m"
    alarms: Annotated[tuple[Text, ...], Field(max_length=10)] = ()
    health_within: Duration = "10m"
    approval: Literal["required", "none"] = "none"
    approval_within: Duration = "24h"

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        if amount_of(self.batch, 1000) == 0:
            raise ValueError("batch: must be at least one instance")
        return self


class Feed(RolloutOptions):
    """A blueprint whose images the layer takes: those of its `channel` as they are promoted to it,
    without one each as it is announced. A layer is subscribed here, or in the blueprint's own
    `layers`; where both name the other, this one counts."""

    blueprint: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,48}$")]
    channel: Channel | None = None
    strategy: Strategy = "replace"

    @property
    def options(self) -> RolloutOptions:
        """How a rollout from this blueprint goes about it."""
        return RolloutOptions(**{name: getattr(self, name) for name in RolloutOptions.model_fields})


_NO_ADD = (
    "strategy add is only for kind instances: how many there are is the Auto Scaling group's own "
    "affair; use replace or canary"
)


def check_strategy(layer: str, strategy: Strategy) -> None:
    """Raise InvalidBlueprint for a strategy that an Auto Scaling group cannot follow."""
    if strategy == "add":
        raise InvalidBlueprint(f"layers: {layer}: {_NO_ADD}")


# What of a feed a group's own preferences say instead.
_REFRESHED = {
    "instances": "is only for kind instances",
    "batch": "is only for kind instances; refresh.min_healthy_percentage says it here",
    "surge": "is only for kind instances; refresh.max_healthy_percentage says it here",
    "health_within": "is only for kind instances; the Auto Scaling group's health checks say it",
}


def check_feed(feed: Feed) -> None:
    """Raise ValueError where a feed says what a layer of kind `autoscaling` cannot do."""
    if feed.strategy == "add":
        raise ValueError(f"blueprints: {feed.blueprint}: {_NO_ADD}")
    for key, why in _REFRESHED.items():
        if _is_said(feed, key):
            raise ValueError(f"blueprints: {feed.blueprint}: {key} {why}")
    if feed.strategy == "replace" and _is_said(feed, "bake_time"):
        raise ValueError(
            f"blueprints: {feed.blueprint}: bake_time goes with strategy canary; "
            "refresh.bake_time says it for the whole layer"
        )


def _is_said(feed: Feed, key: str) -> bool:
    # Not what was set: a stored stack sets everything.
    return bool(getattr(feed, key) != RolloutOptions.model_fields[key].default)


class Refresh(Model):
    """Preferences of an instance refresh (Auto Scaling API, RefreshPreferences), for a layer of
    kind `autoscaling`."""

    min_healthy_percentage: Annotated[int, Field(ge=0, le=100)] = 90
    max_healthy_percentage: Annotated[int, Field(ge=100, le=200)] | None = None
    instance_warmup: Duration | None = None
    checkpoint_percentages: tuple[Annotated[int, Field(ge=1, le=100)], ...] = ()
    checkpoint_delay: Duration | None = None
    skip_matching: bool = True
    scale_in_protected: Literal["Refresh", "Ignore", "Wait"] = "Wait"
    standby: Literal["Terminate", "Ignore", "Wait"] = "Wait"
    bake_time: Duration | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        given = self.checkpoint_percentages
        if list(given) != sorted(set(given)):
            raise ValueError("checkpoint_percentages: must rise from one to the next")
        highest = self.max_healthy_percentage
        # RefreshPreferences: the difference cannot be greater than 100; 100/100 replaces nothing.
        if highest is not None and highest - self.min_healthy_percentage > 100:
            raise ValueError(
                "max_healthy_percentage: may be at most 100 above min_healthy_percentage"
            )
        return self
