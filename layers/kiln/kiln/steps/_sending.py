"""A command is sent once, though SendCommand takes no client token.

Before the call its intent is written down, by a conditional write: of two calls of a function at
once one sends. After it the command's id is kept. Who finds the intent and no id comes after a
crash, or beside a call that is under way: it looks for the command by its comment, which is its
own, and where there is none yet waits until nobody can be about to send it any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from kiln.errors import AwsBusy

if TYPE_CHECKING:
    from kiln.ports import CommandOrder, World

# A client gives up a request after 30 s; what it has sent by then, ListCommands tells.
_SENT_WITHIN = timedelta(seconds=30)


def sent_once(key: str, order: CommandOrder, world: World) -> str:
    """The id of the command of this key, sent now or by an earlier call. AwsBusy, AwsRefused."""
    sent = world.records.claimed(key)
    if sent:
        return sent
    for attempt in count(1):
        intent = f"{key}/intent/{attempt}"
        began = world.records.claimed(intent)
        if began is None:
            break
        sent = world.commands.find(order.instance, order.comment)
        if sent:
            return world.records.claim(key, sent)
        if world.clock.now() - datetime.fromisoformat(began) < _SENT_WITHIN:
            raise AwsBusy(
                f"the command {order.comment!r} for {order.instance} is being sent, or was when a "
                "function died; Run Command does not tell of it yet"
            )
    now = world.clock.now().isoformat()
    if world.records.claim(intent, now) != now:
        raise AwsBusy(f"the command {order.comment!r} for {order.instance} is being sent")
    return world.records.claim(key, world.commands.send(order))
