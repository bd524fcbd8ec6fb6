"""PlanDistribution: say where an image is still to go."""

from kiln.runtime import step, world
from kiln.steps.plan_distribution import DistributionPlanned, PlanDistribution, plan_distribution


@step(PlanDistribution)
def handler(request: PlanDistribution) -> DistributionPlanned:
    return plan_distribution(request, world())
