"""ResumeRollout: which way a rollout goes whose execution was stopped: on, where its layer has
changed over, else back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiln.domain.failure import Failure
from kiln.domain.model import Model
from kiln.domain.rolling import Done, next_move
from kiln.domain.stopped import Stopped
from kiln.steps._rollouts import both, failure_of, rollout_of
from kiln.steps._taking_over import is_open

if TYPE_CHECKING:
    from kiln.domain.rollout import GroupRollout, Rollout
    from kiln.ports import World


class ResumeRollout(Model):
    """The rollout, by image and layer, and why its execution ended."""

    image: str
    layer: str
    stopped: Stopped


class RolloutResumed(Model):
    """On (`go`, `refresh`), back (`back`, `turn-back`), or straight to its end; and what it fails
    with, if it does."""

    path: Literal["go", "refresh", "back", "turn-back", "over"]
    failure: Failure | None


def resume_rollout(request: ResumeRollout, world: World) -> RolloutResumed:
    """Decide from what is. Raises RolloutFailed."""
    rollout = rollout_of(request.image, request.layer, world)
    if not is_open(rollout):
        return RolloutResumed(path="over", failure=None)
    failure = failure_of(rollout) or request.stopped.failure
    if rollout.begun is None:
        # Nothing was changed yet.
        return RolloutResumed(path="over", failure=failure)
    if rollout.group:
        done = _is_refreshed(rollout.group, world)
        return _way("refresh", "turn-back", done, failure)
    return _way("go", "back", _is_done(rollout, world), failure)


def _way(
    on: Literal["refresh", "go"], back: Literal["turn-back", "back"], done: bool, failure: Failure
) -> RolloutResumed:
    if done:
        return RolloutResumed(path=on, failure=None)
    return RolloutResumed(path=back, failure=failure)


def _is_refreshed(state: GroupRollout, world: World) -> bool:
    there = world.groups.refresh(state.group, state.refresh) if state.refresh else None
    return there is not None and there.status == "Successful"


def _is_done(rollout: Rollout, world: World) -> bool:
    if rollout.committed:
        return True
    if rollout.back_since or (rollout.options.approval == "required" and not rollout.approved):
        return False
    old, new = both(rollout, world)
    return isinstance(next_move(rollout, old, new, world.clock.now()), Done)
