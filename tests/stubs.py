"""boto3 clients that answer from a script, for what no emulator knows.

botocore's Stubber checks both sides against AWS's own model: a request that the service would not
understand fails the test, and so does an answer that it could not give.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber


@cache
def client_of(service: str) -> Any:
    """A client that tries once; made once, because its model takes a while to read."""
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True)
    return boto3.client(service, region_name="eu-west-1", config=once)  # type: ignore[call-overload]


class Script:
    """What a service will be asked, in this order, and what it answers."""

    def __init__(self, service: str) -> None:
        self.client = client_of(service)
        self.stubber = Stubber(self.client)

    def answer(
        self, method: str, response: dict[str, Any], request: dict[str, Any] | None = None
    ) -> None:
        """The next call is this one, with exactly this request where one is given."""
        self.stubber.add_response(method, response, request)

    def refuse(self, method: str, code: str, status: int = 400) -> None:
        """The next call is this one, and is refused."""
        self.stubber.add_client_error(method, code, "words of AWS", http_status_code=status)


@contextmanager
def scripted(service: str) -> Iterator[Script]:
    """A script that must be played to its end."""
    script = Script(service)
    with script.stubber:
        yield script
        script.stubber.assert_no_pending_responses()
