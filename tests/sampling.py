"""Tables of which `make test` takes a sample and `make long` the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(rows: Iterable[Any], every: int) -> list[Any]:
    """All rows, as parameters; each n-th, the first included, is in `make test`."""
    return [
        row if number % every == 0 else pytest.param(row, marks=pytest.mark.long)
        for number, row in enumerate(rows)
    ]
