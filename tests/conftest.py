"""What every test stands on: no account, no network, no clock of its own.

Connections leave the process for loopback only (pyproject.toml); in `unit/` there are no
sockets at all.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent

# What tests share is no test module: without this its asserts would fail without saying of what.
pytest.register_assert_rewrite(*(f"tests.{part.name}" for part in HERE.iterdir() if part.is_dir()))

# Before anything imports boto3: a test that forgets its fakes must not find a real account.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    SAM_CLI_TELEMETRY="0",
)


# Whole bakes do not count as coverage: a line is covered where a test of its own runs it.
WHOLE = tuple(
    HERE / part
    for part in (
        *("e2e", "sandbox", "contract", "integration/local"),
        *("unit/cli", "unit/local", "unit/tools"),
    )
)

# Properties see the same examples in every run; `make fuzz` looks for others.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=60)
settings.register_profile("fuzz", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests run with sockets off, whole bakes without a look at their lines."""
    for item in items:
        if item.path.is_relative_to(HERE / "unit"):
            item.add_marker(pytest.mark.disable_socket)
        if any(item.path.is_relative_to(part) for part in WHOLE):
            item.add_marker(pytest.mark.no_cover)
