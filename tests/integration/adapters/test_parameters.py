"""Parameter Store: what the port promises, kept by the fake and by the adapter on moto alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.parameters import SsmParameters
from kiln.ports import Parameters
from tests.fakes import FakeParameters
from tests.moto_clients import mock_aws, moto_client
from tests.stubs import scripted


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


def test_many_are_read_at_once_and_what_is_not_there_is_left_out(parameters: Parameters) -> None:
    names = [f"/images/{number}" for number in range(23)]
    for name in names:
        parameters.point(name, f"ami-{name[8:]:0>8}")
    found = parameters.read_all([*names, "/images/none", names[0]])
    assert found == {name: f"ami-{name[8:]:0>8}" for name in names}
    assert parameters.read_all([]) == {}


def test_ten_parameters_are_one_call_and_a_name_that_cannot_be_costs_the_others_nothing() -> None:
    """Systems Manager API, GetParameters: a name that breaks the rules fails the call."""
    names = [f"/images/{number:02d}" for number in range(11)]
    with scripted("ssm") as ssm:

        def answer(*asked: str) -> None:
            found = [{"Name": name, "Value": f"of {name}"} for name in asked]
            ssm.answer("get_parameters", {"Parameters": found}, {"Names": list(asked)})

        ssm.refuse("get_parameters", "ValidationException")
        answer(*names[:5])
        ssm.refuse("get_parameters", "ValidationException")
        answer(*names[5:7])
        ssm.refuse("get_parameters", "ValidationException")
        ssm.refuse("get_parameters", "ValidationException")
        answer(*names[8:10])
        answer(names[10])
        found = SsmParameters(ssm.client).read_all(reversed(names))
    assert sorted(found) == [*names[:7], *names[8:]]
