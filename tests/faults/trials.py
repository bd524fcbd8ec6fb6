"""The grounds of one local AWS, and which cases there are on each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack

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


# A local AWS grows with each run in it.
_RUNS = 60


class Trials:
    """A context manager: grounds, each made when it is first tried, in one local AWS after
    another."""

    def __init__(self) -> None:
        self._within = ExitStack()
        self._aws: LocalAws | None = None
        self._grounds: dict[str, Ground] = {}
        self._runs = 0

    def __enter__(self) -> Trials:
        # moto tells of every execution that fails.
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._within.close()
        self._aws, self._grounds, self._runs = None, {}, 0

    def ground(self, name: str) -> Ground:
        """A ground."""
        if self._aws is None:
            self._aws = self._within.enter_context(LocalAws(ROOT, speed=SPEED))
        if name not in self._grounds:
            self._grounds[name] = GROUNDS[name](self._aws)
        return self._grounds[name]

    def occasions(self, name: str) -> list[Occasion]:
        """What an undisturbed run on a ground does."""
        return self.ground(name).occasions()

    def run(self, together: Sequence[Case]) -> list[Verdict]:
        """What comes of cases that are run at once; of each alone, where not all went well, and of
        one that another one kept from acting."""
        verdicts = self._run(together)
        if len(together) == 1:
            return verdicts
        well = {v.outcome for v in verdicts} <= {"survived", "missed"}
        return [
            verdict if well and verdict.outcome == "survived" else self._run((case,))[0]
            for case, verdict in zip(together, verdicts, strict=True)
        ]

    def _run(self, together: Sequence[Case]) -> list[Verdict]:
        self._runs += 1
        if self._runs > _RUNS:
            self._close()
        try:
            return self.ground(together[0].ground).run(together)
        except Unended as error:
            # Whatever has not ended must not be met by the next one.
            self._close()
            return [Verdict(case.name, "lied", str(error)) for case in together]
