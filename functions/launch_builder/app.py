"""LaunchBuilder: start the temporary instance that a bake is made on. Undone by Teardown."""

from kiln.runtime import step, world
from kiln.steps.launch_builder import BuilderLaunched, LaunchBuilder, launch_builder


@step(LaunchBuilder)
def handler(request: LaunchBuilder) -> BuilderLaunched:
    return launch_builder(request, world())
