"""What every test stands on: no account, no network, no clock of its own.

Connections leave the process for loopback only (pyproject.toml); in `unit/` there are no
sockets at all.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests run with sockets off."""
    for item in items:
        if item.path.is_relative_to(HERE / "unit"):
            item.add_marker(pytest.mark.disable_socket)
