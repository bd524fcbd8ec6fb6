"""Which of all cases are run: every pair of what a case is made of, not every triple.

A case is a place, what goes wrong there, and how. Each call in each state is in some case, and each
kind of fault with each service; what is left out is the third of a triple whose pairs are there.
Nothing is drawn: the same cases in the same order give the same choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.cases import Case

Pair = tuple[str, ...]
# So many at most go wrong in one run.
TOGETHER = 10


def pairs_of(case: Case) -> frozenset[Pair]:
    """What a case is the proof of."""
    ground, place, what, kind = case.name.split("/")
    service = what.partition(":")[0]
    return frozenset({(ground, place, what), (service, kind)})


def chosen(every: Iterable[Case]) -> list[Case]:
    """Cases that have every pair of all, in their order: those first that bring most pairs which no
    case before them has."""
    left = {case: pairs_of(case) for case in every}
    wanted = {pair for pairs in left.values() for pair in pairs}
    found: set[Case] = set()
    for size in (2, 1):
        for case, pairs in left.items():
            if len(pairs & wanted) >= size:
                wanted -= pairs
                found.add(case)
    return [case for case in left if case in found]


def runs(cases: Iterable[Case]) -> list[tuple[Case, ...]]:
    """Cases as they are run: those that must be survived several at a time, each at another place
    of one ground, the others alone."""
    alone: list[tuple[Case, ...]] = []
    bundles: list[list[Case]] = []
    for case in cases:
        if case.reasons:
            alone.append((case,))
            continue
        for bundle in bundles:
            if len(bundle) < TOGETHER and _goes_with(case, bundle):
                bundle.append(case)
                break
        else:
            bundles.append([case])
    found = [*alone, *(tuple(bundle) for bundle in bundles)]
    order = list(dict.fromkeys(run[0].ground for run in found))
    return sorted(found, key=lambda run: order.index(run[0].ground))


def _goes_with(case: Case, bundle: list[Case]) -> bool:
    return bundle[0].ground == case.ground and all(other.place != case.place for other in bundle)
