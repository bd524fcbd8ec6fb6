"""RunStep: send one document to an instance, once."""

from kiln.runtime import step, world
from kiln.steps.run_step import CommandSent, RunStep, run_step


@step(RunStep)
def handler(request: RunStep) -> CommandSent:
    return run_step(request, world())
