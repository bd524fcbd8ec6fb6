"""The time."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The clock of the machine that this runs on."""

    def now(self) -> datetime:
        """Now, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        time.sleep(seconds)
