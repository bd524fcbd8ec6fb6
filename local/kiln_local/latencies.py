"""How long AWS takes, from one table; drawn with a seed, so that a run can be repeated.

Each row has draws of its own: how often one thing happens does not change how long another takes.
"""

from __future__ import annotations

import random
from pathlib import Path

from kiln_local.fastyaml import load

_TABLE = Path(__file__).with_name("latencies.yaml")


class Latencies:
    """Draws from the table."""

    def __init__(self, seed: int = 0) -> None:
        self._rows = load(_TABLE.read_text())
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Draw from now on as one that was made with this seed."""
        self._seed = seed
        self._randoms: dict[str, random.Random] = {}

    def set(self, name: str, seconds: float) -> None:
        """Let one thing take exactly so long from now on. KeyError as for `draw`."""
        self._rows[name] = {**self._rows[name], "value": seconds, "spread": 0}

    def draw(self, name: str) -> float:
        """Seconds for one occurrence. KeyError for a row that the table does not have."""
        row = self._rows[name]
        drawn = self._randoms.setdefault(name, random.Random(f"{self._seed} {name}"))
        return float(row["value"]) * (1 + drawn.uniform(-1, 1) * float(row["spread"]))
