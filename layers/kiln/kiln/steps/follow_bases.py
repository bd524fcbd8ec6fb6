"""FollowBases: something says that bases may have changed: look, and bake on those that have.

What says so is a notice of a release, the check on a schedule, or Kiln's own bus when a blueprint
that is another's base has a new image, or another one in a channel. None of them is believed. Each
comes at least once, late and in any order: what is baked is decided by what is, and written down
before it begins.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import Field

from kiln.domain.events import SOURCE
from kiln.domain.model import Lenient, Model
from kiln.domain.notice import NoNotice
from kiln.errors import InvalidRequest
from kiln.steps._following import Following
from kiln.steps._notices import true_notice

if TYPE_CHECKING:
    from kiln.ports import World

_log = logging.getLogger(__name__)


class NewImage(Lenient):
    """The detail of `Image Available` or `Image Promoted`, as far as it matters here."""

    blueprint: str = ""


class FollowBases(Lenient):
    """Records of SNS as Lambda gets them, or an event of EventBridge's."""

    records: tuple[dict[str, Any], ...] = Field((), alias="Records")
    source: str = ""
    detail: NewImage = NewImage()


class BasesFollowed(Model):
    """The bakes that were started; the blueprints that were left with the reason; the notices that
    were not believed, with the reason."""

    started: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def follow_bases(event: FollowBases, world: World) -> BasesFollowed:
    """Start the bakes that are due. AwsBusy, AwsRefused; InvalidRequest for an event of no kind."""
    refused: tuple[str, ...] = ()
    if event.records:
        heard, refused = _listen(event, world)
        if not heard:
            return BasesFollowed(refused=refused)
        following = Following(world)
    elif event.source == "aws.events":
        following = Following(world, again=True)
    elif event.source == SOURCE and event.detail.blueprint:
        following = Following(world, parent=event.detail.blueprint)
    else:
        raise InvalidRequest(
            "the event is neither a notice of SNS, nor one of a schedule, nor one of Kiln's bus "
            "that names a blueprint"
        )
    following.look()
    return BasesFollowed(
        started=tuple(following.started), left=tuple(following.left), refused=refused
    )


def _listen(event: FollowBases, world: World) -> tuple[bool, tuple[str, ...]]:
    """Whether any notice is true, and what is wrong with the others."""
    heard, refused = False, []
    for record in event.records:
        try:
            notice = true_notice(record, world)
        except NoNotice as error:
            _log.warning("a notice starts nothing: %s", error)
            refused.append(str(error))
        else:
            _log.info(
                "notice %s of %s: release %s", notice.message_id, notice.topic, notice.release
            )
            heard = True
    return heard, tuple(refused)
