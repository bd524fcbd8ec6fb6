"""`make faults`: the whole matrix on two processes, as a table; `python -m tests.faults NAME...`
runs single cases by their names, or all whose names begin so."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import click

from tests.faults.cases import Case, cases
from tests.faults.trials import Verdict, trials

_WORKERS = 2
_OUTCOMES = ("survived", "failed", "fell", "leaked", "lied", "missed")
_BAD = ("fell", "leaked", "lied")


def _share(wanted: tuple[str, ...], number: int) -> list[Verdict]:
    """Every second case, in a local AWS of this process."""
    with trials() as ground:
        every = [case for case in cases(ground.occasions()) if _is_wanted(case, wanted)]
        found = []
        for case in every[number::_WORKERS]:
            found.append(_judged(ground.run, case))
            click.echo(f"{found[-1].outcome:9} {case.name}", err=True)
        return found


def _judged(run: object, case: Case) -> Verdict:
    try:
        return run(case)  # type: ignore[operator,no-any-return]
    except AssertionError as error:
        return Verdict(case.name, "lied", str(error))


def _is_wanted(case: Case, wanted: tuple[str, ...]) -> bool:
    return not wanted or case.name.startswith(wanted)


def main(*wanted: str) -> int:
    """Run, print the table, end with 1 where a case was found wanting."""
    with ProcessPoolExecutor(_WORKERS) as pool:
        shares = pool.map(partial(_share, wanted), range(_WORKERS))
        verdicts = [verdict for share in shares for verdict in share]
    groups = dict.fromkeys(verdict.case.split("/")[0] for verdict in verdicts)
    click.echo(f"{'':18}{'cases':>9}" + "".join(f"{name:>9}" for name in _OUTCOMES))
    for group in (*groups, ""):
        found = [v for v in verdicts if not group or v.case.split("/")[0] == group]
        counts = Counter(verdict.outcome for verdict in found)
        row = "".join(f"{counts[name]:>9}" for name in _OUTCOMES)
        click.echo(f"{group or 'in all':18}{len(found):>9}{row}")
    for verdict in verdicts:
        if verdict.outcome in (*_BAD, "missed"):
            click.echo(f"{verdict.outcome}: {verdict.case}\n    {verdict.why}")
    return int(any(verdict.outcome in _BAD for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
