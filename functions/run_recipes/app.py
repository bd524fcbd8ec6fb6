"""RunRecipes: send the next command of lifecycle events to an instance."""

from kiln.runtime import step, world
from kiln.steps.run_recipes import RecipesRun, RunRecipes, run_recipes


@step(RunRecipes)
def handler(request: RunRecipes) -> RecipesRun:
    return run_recipes(request, world())
