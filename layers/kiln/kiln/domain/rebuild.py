"""When a blueprint is baked again without anybody asking, and what a second bake of it does."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kiln.domain.model import Model, Text
from kiln.domain.schedule import check_recurring, check_time_zone


class Trigger(StrEnum):
    """Why a bake was started: by somebody, by its schedule, or because its base has changed."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    BASE = "base"


class Rebuild(Model):
    """Rebuilds of one blueprint.

    `schedule` is a cron(...) or rate(...) of EventBridge Scheduler in `time_zone`; `when` says
    whether a scheduled bake of what has not changed makes an image all the same. `on_base_change`
    follows the base: its publisher's releases, or the images of the blueprint that is the base.
    While one bake of the blueprint runs, a `second` one waits for it or is refused. After
    `pause_after` bakes that nobody asked for have failed in a row, no more are started.
    """

    schedule: Annotated[Text, AfterValidator(check_recurring)] | None = None
    time_zone: Annotated[Text, AfterValidator(check_time_zone)] = "UTC"
    when: Literal["changed", "always"] = "changed"
    on_base_change: bool = True
    second: Literal["wait", "refuse"] = "wait"
    pause_after: Annotated[int, Field(ge=1, le=100)] = 3
