"""JSONata for moto's Step Functions interpreter, which ships a bridge to a JVM that is not there.

Values are bound, never pasted into the expression: moto's own way puts strings between quotes
without escaping them, so that a quote in a cause would end the expression.
"""

from __future__ import annotations

from typing import Any

import jsonata as engine
from jsonata.utils import Utils

from kiln_local.clock import SimClock
from kiln_local.patches import Patches


class Undefined(Exception):
    """An expression that returned nothing; Step Functions makes it States.QueryEvaluationError."""


def evaluate(expression: str, bindings: dict[str, Any], clock: SimClock) -> Any:
    """The value of an expression. Raises Undefined; a fault of the expression raises JException."""
    parsed = engine.Jsonata.jsonata(expression)
    parsed.output_convert_nulls = False
    millis = int(clock.now().timestamp() * 1000)
    parsed.register_lambda("millis", lambda: millis)
    parsed.register_lambda("now", lambda: clock.now().isoformat().replace("+00:00", "Z"))
    result = parsed.evaluate(None, {name: _inward(value) for name, value in bindings.items()})
    if result is None:
        raise Undefined(expression)
    return _outward(result)


def _inward(value: Any) -> Any:
    """JSON's null as the engine knows it; its None means undefined."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _inward(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_inward(part) for part in value]
    return value


def _outward(value: Any) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _outward(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_outward(part) for part in value]
    # Python keeps 3.0 where JSON has 3.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def connect(patches: Patches, clock: SimClock) -> None:
    """Let moto's interpreter evaluate expressions here."""
    from moto.stepfunctions.parser.asl.component.common.string import string_expression as module

    def eval_body(self: Any, env: Any) -> None:
        env.stack.append(_in_state(self.expression, env, clock))

    patches.set(module.StringJSONata, "_eval_body", eval_body)
    patches.set(module.StringVariableSample, "_eval_body", eval_body)


def _in_state(expression: str, env: Any, clock: SimClock) -> Any:
    from moto.stepfunctions.parser.asl.component.common.string import string_expression as module
    from moto.stepfunctions.parser.asl.jsonata.jsonata import extract_jsonata_variable_references

    functions = module.get_intrinsic_functions_declarations(
        variable_references=extract_jsonata_variable_references(expression)
    )
    store = env.variable_store
    bindings = {"states": env.states._states_data, **store._outer_scope, **store._inner_scope}
    try:
        return evaluate(f"({functions}{expression})" if functions else expression, bindings, clock)
    except Undefined as error:
        raise _failure(
            env, f"The JSONata expression '{expression}' returned nothing (undefined)."
        ) from error
    except Exception as error:
        raise _failure(
            env, f"The JSONata expression '{expression}' threw an error: {error}"
        ) from error


def _failure(env: Any, cause: str) -> Exception:
    """States.QueryEvaluationError, as Step Functions reports it."""
    from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name import failure_event as failing
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
        StatesErrorName,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=EvaluationFailedEventDetails(
            cause=cause, error=name.error_name
        )
    )
    event = failing.FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=details,
    )
    found: Exception = failing.FailureEventException(failure_event=event)
    return found
