"""ResumeRollout: which way a rollout goes whose execution was stopped."""

from kiln.runtime import step, world
from kiln.steps.resume_rollout import ResumeRollout, RolloutResumed, resume_rollout


@step(ResumeRollout)
def handler(request: ResumeRollout) -> RolloutResumed:
    return resume_rollout(request, world())
