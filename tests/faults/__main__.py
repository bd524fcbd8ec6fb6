"""`make faults`: the matrix on two processes, as a table; `python -m tests.faults NAME...` runs
single cases by their names, or all whose names begin so. WHOLE=1 leaves out none."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

import click

from tests.faults.cases import Case, case_of, whole
from tests.faults.choosing import chosen, runs
from tests.faults.ground import Verdict
from tests.faults.trials import GROUNDS
from tests.faults.workers import Asked, Workers

_OUTCOMES = ("survived", "failed", "fell", "leaked", "lied", "missed")
_BAD = ("fell", "leaked", "lied")


def _wanted(workers: Workers, names: Sequence[str]) -> list[Case]:
    """The cases of these names, or that begin so."""
    grounds = [g for g in GROUNDS if not names or any(_meets(g, name) for name in names)]
    if names and all(name.count("/") == 3 for name in names):
        return [case_of(name) for name in names]
    seen = dict(workers.answers([("spy", (ground,)) for ground in grounds]))
    every = whole({ground: seen[ground] for ground in grounds})
    if names:
        return [case for case in every if case.name.startswith(tuple(names))]
    if os.environ.get("WHOLE"):
        return every
    some = chosen(every)
    click.echo(
        f"{len(some)} of {len(every)} cases: each call in each state, and each kind of fault with "
        "each service; WHOLE=1 runs all"
    )
    return some


def _meets(ground: str, name: str) -> bool:
    """Whether a name, or the beginning of one, may be one of a ground's."""
    return name.startswith(f"{ground}/") or ground.startswith(name)


def _judged(workers: Workers, cases: Sequence[Case]) -> list[Verdict]:
    asked: list[Asked] = [("run", tuple(c.name for c in run)) for run in runs(cases)]
    found = {}
    for _, verdicts in workers.answers(asked):
        for verdict in verdicts:
            found[verdict.case] = verdict
            click.echo(f"{verdict.outcome:9} {verdict.case}", err=True)
    return [found[case.name] for case in cases]


def _table(verdicts: Sequence[Verdict]) -> None:
    places = dict.fromkeys(_group(verdict) for verdict in verdicts)
    width = max((len(place) for place in places), default=8) + 1
    click.echo(f"{'':{width}}{'cases':>9}" + "".join(f"{name:>9}" for name in _OUTCOMES))
    for place in (*places, ""):
        found = [v for v in verdicts if not place or _group(v) == place]
        counts = Counter(verdict.outcome for verdict in found)
        row = "".join(f"{counts[name]:>9}" for name in _OUTCOMES)
        click.echo(f"{place or 'in all':{width}}{len(found):>9}{row}")


def _group(verdict: Verdict) -> str:
    return "/".join(verdict.case.split("/")[:2])


def main(*names: str) -> int:
    """Run, print the table, end with 1 where a case was found wanting."""
    begun = time.monotonic()
    with Workers() as workers:
        verdicts = _judged(workers, _wanted(workers, names))
    _table(verdicts)
    for verdict in verdicts:
        if verdict.outcome in (*_BAD, "missed"):
            click.echo(f"{verdict.outcome}: {verdict.case}\n    {verdict.why}")
    click.echo(f"{len(verdicts)} cases in {(time.monotonic() - begun) / 60:.1f} minutes")
    return int(any(verdict.outcome in _BAD for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
