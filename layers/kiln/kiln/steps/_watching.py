"""Watching for what AWS sends no event of: that the agent of an instance that runs has come online.

One function watches for everybody. It looks at the agents of all that wait, every two seconds for
as long as its own time allows, and ends the tasks of those that answer. Whoever else would watch
finds that somebody does, and leaves it at that; should the watcher get lost, the next heartbeat of
any of them makes another.
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

# Seconds from one look to the next, and how long a look keeps others from beginning to watch: less,
# for whoever watches is to be the one who looks next.
PACE_S, KEPT_S = 2.0, 1.5
# A function has sixty seconds, and what it does before and its last look may take half of them.
WATCH_S = 30.0
# Whoever is not online by then is left to the heartbeats: to watch costs a function's time.
_HOPE = timedelta(minutes=10)
# Of the watch itself: a look at agents alone is none at instances.
_WATCH = "agents"


def watch(sight: Sight, world: World) -> None:
    """Watch if `sight` shows an instance that runs without its agent, and nobody watches."""
    if not sight.boots:
        return
    over = world.clock.now() + timedelta(seconds=WATCH_S)
    with suppress(AwsBusy):
        while world.clock.now() < over and (waiting := _hopeful(world)):
            if not world.waits.begin_look(_WATCH, KEPT_S):
                return
            _look_at_agents(waiting, world)
            world.clock.sleep(PACE_S)


def _hopeful(world: World) -> dict[str, list[WaitingToken]]:
    """Those that wait for an agent and may still hope, by the instance."""
    now = world.clock.now()
    found: dict[str, list[WaitingToken]] = {}
    for token in world.waits.all_of(INSTANCES):
        if isinstance(token.wait, InstanceOnline) and now - token.wait.began < _HOPE:
            found.setdefault(token.wait.instance, []).append(token)
    return found


def _look_at_agents(waiting: dict[str, list[WaitingToken]], world: World) -> None:
    """End those whose agents answer, if their instances run: a ping may be of a life before."""
    pings = world.agents.pings(sorted(waiting))
    there = [t for name, ping in pings.items() if ping.online for t in waiting.get(name, ())]
    sight = Sight((token.wait for token in there), world)
    for token in there:
        end(token, sight, world)
