"""FinishRollout: record the layer's instance, or take it back."""

from kiln.runtime import step, world
from kiln.steps.finish_rollout import FinishRollout, RolloutFinished, finish_rollout


@step(FinishRollout)
def handler(request: FinishRollout) -> RolloutFinished:
    return finish_rollout(request, world())
