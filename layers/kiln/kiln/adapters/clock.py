"""The time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The clock of the machine that this runs on."""

    def now(self) -> datetime:
        """Now, aware, UTC."""
        return datetime.now(UTC)
