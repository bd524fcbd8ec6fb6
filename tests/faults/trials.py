"""The grounds of one local AWS, and which cases there are on each."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kiln_local.clock import Steady
from kiln_local.world import LocalAws
from tests.faults.bakes import Bakes, Distributions, LostCopies, SpoiledBakes
from tests.faults.cases import Case, Occasion
from tests.faults.ground import ROOT, Ground, Unended, Verdict
from tests.faults.groups import Refreshes, SpoiledRefreshes
from tests.faults.rollouts import Rollouts, SpoiledRollouts

SPEED = Steady(3000)
# Each one that goes well before the one that fails on the same way.
GROUNDS: dict[str, type[Ground]] = {
    ground.name: ground
    for ground in (
        Bakes,
        SpoiledBakes,
        LostCopies,
        Distributions,
        Rollouts,
        SpoiledRollouts,
        Refreshes,
        SpoiledRefreshes,
    )
}


class Trials:
    """One local AWS with its grounds, each made when it is first tried."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._grounds: dict[str, Ground] = {}

    def ground(self, name: str) -> Ground:
        """A ground."""
        if name not in self._grounds:
            self._grounds[name] = GROUNDS[name](self._aws)
        return self._grounds[name]

    def occasions(self, name: str) -> list[Occasion]:
        """What an undisturbed run on a ground does."""
        return self.ground(name).occasions()

    def run(self, together: Sequence[Case]) -> list[Verdict]:
        """What comes of cases that are run at once; of each alone, where not all went well."""
        verdicts = self._run(together)
        if len(together) == 1 or {v.outcome for v in verdicts} <= {"survived", "missed"}:
            return verdicts
        return [verdict for case in together for verdict in self._run((case,))]

    def _run(self, together: Sequence[Case]) -> list[Verdict]:
        ground = together[0].ground
        try:
            return self.ground(ground).run(together)
        except Unended as error:
            del self._grounds[ground]
            return [Verdict(case.name, "lied", str(error)) for case in together]


@contextmanager
def trials() -> Iterator[Trials]:
    """A local AWS for cases."""
    # moto tells of every execution that fails.
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    with LocalAws(ROOT, speed=SPEED) as aws:
        yield Trials(aws)
