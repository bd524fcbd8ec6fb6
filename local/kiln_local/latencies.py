"""How long AWS takes, from one table; drawn with a seed, so that a run can be repeated."""

from __future__ import annotations

import random
from pathlib import Path

from kiln_local.fastyaml import load

_TABLE = Path(__file__).with_name("latencies.yaml")


class Latencies:
    """Draws from the table."""

    def __init__(self, seed: int = 0) -> None:
        self._rows = load(_TABLE.read_text())
        self._random = random.Random(seed)

    def draw(self, name: str) -> float:
        """Seconds for one occurrence. KeyError for a row that the table does not have."""
        row = self._rows[name]
        return float(row["value"]) * (1 + self._random.uniform(-1, 1) * float(row["spread"]))
