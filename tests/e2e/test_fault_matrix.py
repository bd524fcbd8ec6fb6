"""A sample of the fault matrix; `make faults` runs it whole."""

from __future__ import annotations

import pytest

from tests.faults.cases import cases
from tests.faults.trials import trials

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
# Each kind of fault comes up, at another place of the bake each time.
EVERY = 37


def test_nothing_leaks_nothing_lies_and_what_must_be_survived_is() -> None:
    with trials() as ground:
        sample = list(cases(ground.occasions()))[::EVERY]
        verdicts = [ground.run(case) for case in sample]
    assert len(verdicts) >= 10
    assert {v.outcome for v in verdicts} <= {"survived", "failed", "missed"}, verdicts
