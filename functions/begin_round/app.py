"""BeginRound: the next round of Configure in a stack. Ended by EndRound."""

from kiln.runtime import step, world
from kiln.steps.begin_round import BeginRound, RoundBegun, begin_round


@step(BeginRound)
def handler(request: BeginRound) -> RoundBegun:
    return begin_round(request, world())
