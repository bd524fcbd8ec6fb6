"""PlanBake: decide everything about a bake; nothing is launched yet."""

from kiln.runtime import step, world
from kiln.steps.plan_bake import BakePlanned, PlanBake, plan_bake


@step(PlanBake)
def handler(request: PlanBake) -> BakePlanned:
    return plan_bake(request, world())
