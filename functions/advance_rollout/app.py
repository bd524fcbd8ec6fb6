"""AdvanceRollout: the next step of a rollout, or of its way back."""

from kiln.runtime import step, world
from kiln.steps.advance_rollout import AdvanceRollout, RolloutAdvanced, advance_rollout


@step(AdvanceRollout)
def handler(request: AdvanceRollout) -> RolloutAdvanced:
    return advance_rollout(request, world())
