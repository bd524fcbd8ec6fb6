"""Durations as users write them: `90s`, `10m`, `2h`, `30d`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """`"10m"` as 600. Raises ValueError with what is allowed."""
    number, unit = duration[:-1], duration[-1:]
    if unit not in _UNITS or not (number.isascii() and number.isdigit()) or len(number) > 6:
        raise ValueError(f"{duration!r} is not a duration; write 90s, 10m, 2h or 30d")
    return int(number) * _UNITS[unit]


def _positive(duration: str) -> str:
    if seconds(duration) == 0:
        raise ValueError("a duration must be longer than 0s")
    return duration


def _run_time(duration: str) -> str:
    # The agent silently takes 3600 for anything outside this range (SSM documents, timeoutSeconds).
    if not 5 <= seconds(_positive(duration)) <= 172_800:
        raise ValueError(f"{duration!r} is out of range; a step may take 5s to 48h")
    return duration


Duration = Annotated[str, AfterValidator(_positive)]
RunTime = Annotated[str, AfterValidator(_run_time)]
