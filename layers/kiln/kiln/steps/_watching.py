"""Watching for what AWS sends no event of: that the agent of an instance that runs has come online.

One function watches for everybody. It looks at the agents of all that wait, every second for as
long as its own time allows, and ends the tasks of those that answer. Now and then it writes down
that it still watches, and asks who else has begun to wait. Whoever else would watch finds that
somebody does, and leaves it at that; should the watcher get lost, the next heartbeat of any of them
makes another.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from kiln.domain.waiting import INSTANCES, InstanceOnline
from kiln.errors import AwsBusy
from kiln.steps._answering import end
from kiln.steps._sight import Sight

if TYPE_CHECKING:
    from kiln.domain.waiting import WaitingToken
    from kiln.ports import World

# Seconds from one look to the next, and how many are taken by what was asked once. An agent takes
# longer than that to come, so that whoever begins to wait in between loses nothing.
PACE_S, LOOKS = 1.0, 4
# A watcher has gone that has said nothing for so long; one that is there may say so again after
# less, and finds out by that if another has taken over.
GONE_S, KEPT_S = 6.0, 3.5
# A function has sixty seconds; what it does before takes some, and so may a last lap that is slow.
WATCH_S = 40.0
# Whoever is not online by then is left to the heartbeats: to watch costs a function's time.
_HOPE = timedelta(minutes=10)
# Of the watch itself: a look at agents alone is none at instances.
_WATCH = "agents"


def watch(sight: Sight, world: World) -> None:
    """Watch if `sight` shows an instance that runs without its agent, and nobody watches."""
    if not sight.boots:
        return
    over = world.clock.now() + timedelta(seconds=WATCH_S)
    last_word_s = GONE_S
    with suppress(AwsBusy):
        while world.clock.now() < over and (waiting := _hopeful(world)):
            if not world.waits.begin_look(_WATCH, last_word_s):
                return
            last_word_s = KEPT_S
            _look_a_while(waiting, world)
        world.waits.end_look(_WATCH)


def _hopeful(world: World) -> dict[str, list[WaitingToken]]:
    """Those that wait for an agent and may still hope, by the instance."""
    now = world.clock.now()
    found: dict[str, list[WaitingToken]] = {}
    for token in world.waits.all_of(INSTANCES):
        if isinstance(token.wait, InstanceOnline) and now - token.wait.began < _HOPE:
            found.setdefault(token.wait.instance, []).append(token)
    return found


def _look_a_while(waiting: dict[str, list[WaitingToken]], world: World) -> None:
    """So many looks at the agents of those that wait; fewer where all have come."""
    for _ in range(LOOKS):
        _look_at_agents(waiting, world)
        if not waiting:
            return
        world.clock.sleep(PACE_S)


def _look_at_agents(waiting: dict[str, list[WaitingToken]], world: World) -> None:
    """End, and take out of `waiting`, those whose agents answer and whose instances run: a ping may
    be of a life before."""
    pings = world.agents.pings(sorted(waiting))
    there = [name for name, ping in pings.items() if ping.online and name in waiting]
    sight = Sight((token.wait for name in there for token in waiting[name]), world)
    for name in there:
        ended = [end(token, sight, world) for token in waiting[name]]
        if all(ended):
            del waiting[name]
