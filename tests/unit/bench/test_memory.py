from __future__ import annotations

import pytest

from bench.memory import row
from kiln_local.emulated import Invoked


def test_what_watches_is_told_apart_and_cold_calls_are_no_warm_ones() -> None:
    found = row(
        5.123,
        [
            Invoked("wake", 512, False, 30_000),
            Invoked("plan_bake", 512, True, 900),
            Invoked("run_step", 512, False, 20),
            Invoked("run_step", 512, False, 40),
            Invoked("create_image", 512, False, 100),
        ],
    )
    assert (found["over_s"], found["function_s"]) == (5.12, 31.1)
    assert found["warm_ms_by_function"] == {"create_image": 100, "run_step": 30}
    assert found["warm_ms"] == 65
    # Half a gigabyte for thirty seconds.
    assert found["usd_of_watchers"] == pytest.approx(15 * 0.0000133334, rel=0.01)
    assert found["usd"] > found["usd_of_watchers"]
