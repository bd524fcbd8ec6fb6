"""Parameter Store: what the port promises, kept by the fake and by the adapter on moto alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.parameters import SsmParameters
from kiln.ports import Parameters
from tests.fakes import FakeParameters
from tests.moto_clients import mock_aws, moto_client


@pytest.fixture(params=["fake", "moto"])
def parameters(request: pytest.FixtureRequest) -> Iterator[Parameters]:
    if request.param == "fake":
        yield FakeParameters()
        return
    with mock_aws():
        yield SsmParameters(moto_client("ssm"))


def test_a_pointer_is_read_as_it_was_written_last(parameters: Parameters) -> None:
    assert parameters.read("/images/web") is None
    parameters.point("/images/web", "ami-00000001")
    parameters.point("/images/web", "ami-00000002")
    assert parameters.read("/images/web") == "ami-00000002"
