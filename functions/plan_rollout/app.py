"""PlanRollout: take a layer for one rollout. Undone by FinishRollout."""

from kiln.runtime import step, world
from kiln.steps.plan_rollout import PlanRollout, RolloutPlanned, plan_rollout


@step(PlanRollout)
def handler(request: PlanRollout) -> RolloutPlanned:
    return plan_rollout(request, world())
