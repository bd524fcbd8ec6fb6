"""Looking for many at once: of all that wait for instances, or for the images of one Region, one
looks every two seconds, and asks AWS in one call for everybody.

Who begins to wait, and whose heartbeat has run out, looks only if nobody has looked just now: that
look was for all who waited then. What an event tells of is looked at in any case. So a crowd costs
hardly more calls than a few, and each of a crowd is looked at more often than its own heartbeat is.
A look that fails or gets lost is made good by the next one, of whoever it is.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kiln.domain.waiting import subject_of
from kiln.errors import AwsBusy
from kiln.steps._answering import answer, end
from kiln.steps._looking import check_time
from kiln.steps._sight import Sight
from kiln.steps._watching import watch

if TYPE_CHECKING:
    from kiln.domain.waiting import WaitingToken
    from kiln.ports import World

# Seconds from one look to the next: in that time EC2's bucket of each Describe action gets forty
# tokens (EC2 Developer Guide, "Request throttling for the Amazon EC2 API"), and a look for two
# hundred takes one.
PACE_S = 2.0


def look_with_others(own: WaitingToken, world: World) -> bool:
    """Whether the task has been answered. Looks for all others of its subject too, and answers
    those that are over. Raises the error that ends the own wait badly."""
    subject = subject_of(own.wait)
    # Who is too late must find that out, whoever has looked.
    overdue = own.wait.is_over(world.clock.now())
    others: list[WaitingToken] = []
    if subject and world.waits.begin_look(subject, PACE_S):
        others = [t for t in world.waits.all_of(subject) if t.token != own.token]
    elif subject and not overdue:
        return False
    sight = Sight((token.wait for token in (own, *others)), world)
    if others:
        sight.open()
    for token in others:
        # What AWS is too busy to say, each asks for itself.
        with suppress(AwsBusy):
            end(token, sight, world)
    done = answer(own, sight, world)
    if not done:
        check_time(own.wait, world)
    watch(sight, world)
    return done
