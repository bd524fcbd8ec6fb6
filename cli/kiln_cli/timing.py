"""Where the time of a bake went, and how long one will take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from kiln.domain.bake import BakeRecord, BakeStatus
from kiln_cli.history import Span
from kiln_cli.result import TimeOutcome, Whose

# What each waiting state of the bake's machine waits for, and whose time that is. What is left of a
# bake is Kiln's own: its functions, and Step Functions' way from state to state.
WAITS: dict[str, tuple[Whose, str]] = {
    "AwaitBegin": ("turn", "its turn"),
    "AwaitTurn": ("turn", "its turn"),
    "AwaitBuilder": ("aws", "boot of the builder"),
    "AwaitInspect": ("aws", "documents on the builder"),
    "AwaitStep": ("blueprint", "steps"),
    "AwaitPrepare": ("aws", "documents on the builder"),
    "AwaitClean": ("aws", "documents on the builder"),
    "AwaitSealOnBuilder": ("aws", "sealing the builder"),
    "AwaitSeal": ("aws", "sealing the builder"),
    "PollImage": ("aws", "image"),
    "AwaitClone": ("aws", "boot of the clone"),
    "AwaitProof": ("aws", "documents on the clone"),
    "AwaitTest": ("blueprint", "tests"),
    "Distribute": ("aws", "distribution"),
}
# Of more bakes the older ones say little of the next one.
_OF_LAST = 5


@dataclass(frozen=True)
class Estimate:
    """How long a bake takes from its turn to its end: the middle of the last `bakes`."""

    seconds: float
    bakes: int

    def __str__(self) -> str:
        many = "last bake" if self.bakes == 1 else f"last {self.bakes} bakes"
        return f"about {minutes(self.seconds)}, by its {many}"


def estimate(records: Iterable[BakeRecord]) -> Estimate | None:
    """By a blueprint's bakes, oldest first; None where none has succeeded."""
    took = [
        (record.ended - (record.plan.turn or record.plan.started)).total_seconds()
        for record in records
        if record.ended and record.status is BakeStatus.SUCCEEDED
    ][-_OF_LAST:]
    return Estimate(median(took), len(took)) if took else None


def minutes(seconds: float) -> str:
    """`48 s` or `4 min 10 s`."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min {rest} s" if whole else f"{rest} s"


def parts(spans: Sequence[Span], elapsed_s: float) -> tuple[TimeOutcome, ...]:
    """What took how long, of whose time, in the order in which it began; Kiln's own last."""
    took: dict[tuple[Whose, str], float] = {}
    for span in spans:
        if span.name in WAITS:
            passed = (elapsed_s if span.exited_s is None else span.exited_s) - span.entered_s
            took[WAITS[span.name]] = took.get(WAITS[span.name], 0.0) + passed
    own = elapsed_s - sum(took.values())
    found = [
        TimeOutcome(of=of, what=what, s=round(s, 3)) for (of, what), s in took.items() if round(s)
    ]
    return (*found, TimeOutcome(of="kiln", what="everything else", s=round(max(own, 0.0), 3)))
