"""EndRound: a round of Configure has reached every instance."""

from kiln.runtime import step, world
from kiln.steps.end_round import EndRound, RoundEnded, end_round


@step(EndRound)
def handler(request: EndRound) -> RoundEnded:
    return end_round(request, world())
