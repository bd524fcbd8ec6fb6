"""The only reader of the environment and maker of clients. Cached, never at import."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from kiln.wiring.aws import AwsWorld
from kiln.wiring.environment import Environment
from kiln.wiring.session import CoreSession, Session

if TYPE_CHECKING:
    from kiln.ports import World

__all__ = ["Environment", "Session", "make_world", "world"]


@cache
def world() -> World:
    """The world of this process, made from its environment on first use."""
    told = Environment.read(os.environ)
    return make_world(told, CoreSession(told.models))


def make_world(environment: Environment, session: Session) -> World:
    """A world on the account and Region of a session."""
    return AwsWorld(environment, session)
