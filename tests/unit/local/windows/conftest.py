"""A simulated Windows for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import a_builder


@pytest.fixture
def machine(tmp_path: Path) -> WindowsMachine:
    """A booted Windows Server 2022."""
    return a_builder(tmp_path / "machine")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> WindowsMachine:
    """One for all scripts that make values and change nothing."""
    return a_builder(tmp_path_factory.mktemp("windows") / "machine")
