from __future__ import annotations

from typing import Any

import pytest
import yaml

from bench.cost import PRICES, UNITS, bill, prices
from bench.units import Units, log_bytes, read_units, write_units
from kiln_cli.history import transitions


def an_event(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": 1, "type": kind, **more}


@pytest.mark.parametrize(
    ("size", "writes", "reads"), [(0, 1, 1), (1024, 1, 1), (1025, 2, 1), (4097, 5, 2)]
)
def test_units_of_the_table_are_begun_kibibytes(size: int, writes: int, reads: int) -> None:
    assert (write_units(size), read_units(size)) == (writes, reads)
    assert write_units(size, transaction=True) == 2 * writes


def test_a_retry_is_a_transition_more() -> None:
    once = [an_event("TaskStateEntered"), an_event("TaskScheduled"), an_event("TaskSucceeded")]
    again = [*once[:2], an_event("TaskTimedOut"), an_event("TaskScheduled"), once[2]]
    choice = an_event("ChoiceStateEntered")
    assert transitions([*once, choice]) == 2
    assert transitions([*again, choice]) == 3


def test_what_the_emulator_says_of_itself_is_no_log() -> None:
    units = Units()
    units.heard("29 Nov 2026 09:34:30,170 [INFO] (rapid) INVOKE START\n")
    assert units.log_bytes == 0
    units.heard("done\n")
    assert units.log_bytes == 5 + 26


def test_a_machines_log_counts_what_its_events_hold() -> None:
    more = log_bytes(an_event("TaskScheduled", parameters="x" * 100))
    assert more >= log_bytes(an_event("TaskScheduled")) + 100


def test_a_bill_is_the_sum_of_its_units() -> None:
    found = bill({"transitions": 40, "write units": 1000}, {"transitions": 80})
    assert found["bake"] == pytest.approx(0.001 + 0.000625)
    assert found["rollout"] == pytest.approx(0.002)
    assert found["units"]["transitions"]["bake"] == 40


def test_function_time_is_priced_by_the_gigabyte_second() -> None:
    assert prices()["function GB-ms"] * 1000 == pytest.approx(0.0000133334)


def test_every_unit_has_a_price_with_source_and_date() -> None:
    rows = yaml.safe_load(PRICES.read_text())
    assert {name for name, _ in UNITS.values()} == set(rows)
    assert all(row["source"] and row["date"] for row in rows.values())
