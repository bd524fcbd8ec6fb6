"""What time it is."""

from __future__ import annotations

from datetime import timedelta

from kiln.adapters.clock import SystemClock


def test_the_clock_tells_the_time_of_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
