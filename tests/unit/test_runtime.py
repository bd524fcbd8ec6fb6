"""What every handler does around its one call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest

from kiln.domain.model import Model
from kiln.errors import InvalidRequest, NoCapacity
from kiln.runtime import WARM, step


class Doubling(Model):
    """A request."""

    number: int


class Doubled(Model):
    """A result."""

    number: int


class Counted(Doubled):
    """A result with a metric."""

    def metrics(self) -> dict[str, int]:
        """What is to be counted."""
        return {"Doubled": self.number}


@dataclass
class Context:
    """What Lambda hands over, as far as it is read."""

    function_name: str = "kiln-doubling"
    aws_request_id: str = "request-1"


@step(Doubling)
def handler(request: Doubling) -> Doubled:
    if request.number == 0:
        raise NoCapacity("nothing to double")
    return Doubled(number=request.number * 100 // (request.number - 1))


@step(Doubling)
def counting(request: Doubling) -> Counted:
    return Counted(number=request.number * 2)


def metric(capsys: pytest.CaptureFixture[str]) -> Any:
    """The metric that was written, in CloudWatch's embedded format."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return next(line for line in lines if "_aws" in line)


def test_an_event_becomes_a_request_and_a_result_an_answer() -> None:
    assert handler({"number": 2}, Context()) == {"number": 200}


def test_what_only_warms_a_function_calls_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert handler(WARM, Context()) == {}
    assert capsys.readouterr().out == ""


def test_a_result_that_is_to_be_counted_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert counting({"number": 2}, Context()) == {"number": 4}
    found = metric(capsys)
    assert (found["function"], found["Doubled"]) == ("kiln-doubling", [4.0])
    (told,) = found["_aws"]["CloudWatchMetrics"]
    assert (told["Namespace"], told["Dimensions"][0][0]) == ("Kiln", "function")


def test_an_error_of_ours_leaves_as_it_is_and_is_counted_by_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(NoCapacity, match="nothing to double"):
        handler({"number": 0}, Context())
    found = metric(capsys)
    assert (found["function"], found["error"], found["Errors"]) == (
        "kiln-doubling",
        "NoCapacity",
        [1.0],
    )


def test_anything_else_is_a_fault_and_leaves_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        handler({"number": 1}, Context())
    assert metric(capsys)["error"] == "Fault"


def test_an_event_of_another_shape_is_refused_by_its_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        InvalidRequest, match=r"nummer: is not a known key; did you mean number\? allowed: number$"
    ):
        handler({"nummer": 1}, Context())
    assert metric(capsys)["error"] == "InvalidRequest"


@pytest.mark.parametrize("event", [None, [], "x", 7, float("nan"), {"number": None}, {1: 2}])
def test_what_is_no_event_at_all_is_refused(event: Any) -> None:
    with pytest.raises(InvalidRequest, match="the event is none that this function takes: "):
        handler(event, Context())


def test_nesting_without_end_is_refused() -> None:
    event: dict[str, Any] = {"number": 2}
    event["number"] = reduce(lambda inner, _: [inner], range(5000), 2)
    with pytest.raises(InvalidRequest, match="nested deeper than 50 levels"):
        handler(event, Context())


@pytest.mark.parametrize("event", [{"number": ["\ud800"]}, {"\udfff": 1}])
def test_half_a_surrogate_pair_is_refused(event: Any) -> None:
    with pytest.raises(InvalidRequest, match="half a surrogate pair"):
        handler(event, Context())


def test_a_refusal_does_not_repeat_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidRequest):
        handler({"number": {"password": "hunter2!"}}, Context())
    assert "hunter2" not in capsys.readouterr().out
