"""Expressions of the state machines: values are bound, never pasted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kiln_local.clock import SimClock
from kiln_local.jsonata import Undefined, evaluate


@pytest.fixture
def clock() -> Iterator[SimClock]:
    """A clock that ends with the test."""
    clock = SimClock(100)
    yield clock
    clock.end()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$states.input.a", 'a "quote" \\ $(x) {{ y }}\n'),
        ("$failure ? $failure.error : 'none'", "none"),
        ("$failure", None),
        ("$step + 1", 3),
        ("$step < $steps", True),
        ("$states.result.Payload", {"x": None, "list": [1, None]}),
        ("$replace('States.Timeout', /^States[.]/, 'StepFunctions.')", "StepFunctions.Timeout"),
        ("$states.input.missing ? 1 : ''", ""),
        ("{'a': $states.input.missing, 'b': 1}", {"b": 1}),
    ],
)
def test_an_expression_sees_values_as_they_are(
    expression: str, expected: Any, clock: SimClock
) -> None:
    states = {
        "input": {"a": 'a "quote" \\ $(x) {{ y }}\n'},
        "result": {"Payload": {"x": None, "list": [1, None]}},
    }
    bindings = {"states": states, "failure": None, "step": 2, "steps": 3}
    assert evaluate(expression, bindings, clock) == expected


def test_what_returns_nothing_is_an_error(clock: SimClock) -> None:
    """Step Functions Developer Guide, "Transforming data with JSONata": undefined is an error."""
    with pytest.raises(Undefined):
        evaluate("$states.input.missing", {"states": {"input": {}}}, clock)


def test_expressions_tell_simulated_time(clock: SimClock) -> None:
    clock.sleep(100)
    before = clock.now().timestamp() * 1000
    assert abs(evaluate("$millis()", {}, clock) - before) < 60_000
    assert evaluate("$now()", {}, clock).endswith("Z")
