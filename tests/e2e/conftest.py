"""What the end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln_cli import opening
from kiln_cli.opening import Opened
from tests.e2e.running import ROOT, SPEED


@pytest.fixture(scope="module")
def at() -> Iterator[Opened]:
    """One local AWS for the tests below, with the example's stack applied."""
    options = {
        "local": True,
        "project": ROOT,
        "speed": SPEED,
        "stacks": [ROOT / "stacks/shop.yaml"],
    }
    with opening.opened(options) as opened:
        opening.apply_stacks(options, None, opened.place)
        yield opened
