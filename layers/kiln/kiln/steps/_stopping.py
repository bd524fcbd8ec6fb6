"""A bake whose execution is over before it came to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln.domain.events import BakeFailed
from kiln.domain.failure import Failure

if TYPE_CHECKING:
    from kiln.ports import World


@dataclass(frozen=True)
class Stop:
    """How an execution ended, as Step Functions names it (ABORTED, TIMED_OUT, FAILED)."""

    status: str
    error: str = ""
    cause: str = ""

    def failure(self, bake: str) -> Failure:
        """What the bake ends with."""
        why = f"the execution of {bake} was stopped from outside ({self.status})"
        return Failure(error=self.error or self.status, cause=self.cause or why)


def stopped_key(execution: str) -> str:
    """The claim by which Teardown tells a PlanBake that is still under way: it claims, then looks
    for the record; PlanBake writes the record, then looks for the claim. One finds the other."""
    return f"stopped/{execution}"


def stopped(record: BakeRecord, stop: Stop, world: World) -> BakeRecord:
    """The record of a bake that was stopped before it had made anything; that it failed is told
    before it is written, as Teardown does it."""
    why = stop.failure(record.plan.bake)
    world.bus.publish(
        BakeFailed(
            bake=record.plan.bake,
            blueprint=record.plan.blueprint.name,
            error=why.error,
            cause=why.cause,
            state="",
        )
    )
    change = {"status": BakeStatus.FAILED, "error": why.error, "cause": why.cause, "skipped": None}
    return record.model_copy(update=change | {"ended": world.clock.now()})
