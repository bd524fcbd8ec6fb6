"""A blueprint that follows its base: which bake is for which base image, and when there is another.

A base image is baked once. That it is, is written down before the bake begins, with the bake's id:
whoever comes second, or comes again after a crash, finds it and starts the same execution or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiln.domain.model import Model
from kiln.domain.naming import bake_id

if TYPE_CHECKING:
    from datetime import datetime


class Follow(Model):
    """The last bake of a blueprint for one base image.

    `number` counts such bakes, `attempt` those since the blueprint's newest image was `after`: the
    bake is to follow that one.
    """

    blueprint: str
    base: str
    number: int
    attempt: int
    after: str
    bake: str
    at: str


# How the bake of a Follow stands: nothing has begun, it runs, it has ended.
Stand = Literal["unbegun", "running", "ended"]


class Change(Model):
    """A blueprint whose newest image, `image`, is of another base than the `base` of now."""

    blueprint: str
    base: str
    image: str


def next_follow(
    change: Change, last: Follow | None, stand: Stand, now: datetime, again: bool
) -> Follow | None:
    """The bake that is to be started for a change, None where there is nothing to start.

    One that was written down and never begun is started as it was. One that has ended without an
    image is not repeated, unless `again` says so. After an image of another base has come in
    between, as when a publisher takes a release back and brings it again, it is a new matter.
    """
    if last is None:
        return _follow(change, 1, 1, now)
    if stand != "ended":
        return last if stand == "unbegun" else None
    if last.after != change.image:
        return _follow(change, last.number + 1, 1, now)
    return _follow(change, last.number + 1, last.attempt + 1, now) if again else None


def _follow(change: Change, number: int, attempt: int, now: datetime) -> Follow:
    return Follow(
        blueprint=change.blueprint,
        base=change.base,
        number=number,
        attempt=attempt,
        after=change.image,
        bake=bake_id(change.blueprint, now, f"{change.base}#{number}"),
        at=now.isoformat(),
    )
