"""What every handler does around its one call: event to model and back, log keys, a metric per
outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ValidationError

from kiln.domain.model import check_depth_and_text, explain
from kiln.errors import InvalidRequest, KilnError
from kiln.wiring import world

__all__ = ["step", "world"]

logger = Logger(service="kiln")

Request = TypeVar("Request", bound=BaseModel)
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

# What the template sends to the functions of a bake when one begins: once there, they start warm.
WARM = {"warm": True}


@runtime_checkable
class Measured(Protocol):
    """A result that CloudWatch is to count."""

    def metrics(self) -> dict[str, int]:
        """Counts by the metric's name."""
        ...


def step(model: type[Request]) -> Callable[[Callable[[Request], BaseModel]], Handler]:
    """Make a Lambda handler of a function from a request model to a result model.

    An error of ours leaves the function as it is: its class name is the error that the state
    machine sees. An event of another shape is one of them, InvalidRequest, and is not repeated: it
    may hold anything. What else happens is a fault of Kiln; it is logged whole and leaves the
    function as well. WARM calls nothing.
    """

    def decorate(call: Callable[[Request], BaseModel]) -> Handler:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            if event == WARM:
                return {}
            name = context.function_name
            logger.append_keys(function=name, request_id=context.aws_request_id)
            try:
                result = call(_request(model, event))
            except KilnError as error:
                logger.warning(str(error), extra={"error": type(error).__name__})
                _count(name, type(error).__name__)
                raise
            except Exception:
                logger.exception("a fault of Kiln")
                _count(name, "Fault")
                raise
            if isinstance(result, Measured):
                _measure(name, result.metrics())
            logger.info("done", extra={"result": result.model_dump(mode="json")})
            return result.model_dump(mode="json")

        return handler

    return decorate


def _request(model: type[Request], event: Any) -> Request:
    try:
        check_depth_and_text(event)
        return model.model_validate(event)
    except ValidationError as error:
        said = explain(error, model)
    except ValueError as error:
        said = f"it {error}"
    raise InvalidRequest(f"the event is none that this function takes: {said}")


def _measure(function: str, metrics: dict[str, int]) -> None:
    for name, value in metrics.items():
        with single_metric(
            name=name, unit=MetricUnit.Count, value=value, namespace="Kiln"
        ) as metric:
            metric.add_dimension(name="function", value=function)


def _count(function: str, outcome: str) -> None:
    with single_metric(name="Errors", unit=MetricUnit.Count, value=1, namespace="Kiln") as metric:
        metric.add_dimension(name="function", value=function)
        metric.add_dimension(name="error", value=outcome)
