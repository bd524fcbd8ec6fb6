"""Calling one of Kiln's functions and waiting for its answer: who asks needs no more than
lambda:InvokeFunction, and what is done is what the function may do."""

from __future__ import annotations

import json
from typing import Any

from botocore.config import Config

from kiln import errors
from kiln.adapters._errors import translated
from kiln.errors import KilnError
from kiln_cli.place import Place

# Lambda's longest run is 15 minutes; a call that is sent again would run a second time.
_PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})


class FunctionFailed(KilnError):
    """A function ended with an error that is none of a user's."""


def invoke(place: Place, output: str, payload: dict[str, Any]) -> Any:
    """The answer of the function that an output of the stack names. An error of Kiln's is raised
    again as what it is; FunctionFailed for any other; AwsRefused, AwsBusy."""
    client: Any = place.session.client("lambda", config=_PATIENT)
    with translated("lambda", "Invoke"):
        answer = client.invoke(
            FunctionName=place.outputs[output], Payload=json.dumps(payload).encode()
        )
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise _error(place.outputs[output], told)
    return told


def _error(function: str, told: Any) -> KilnError:
    name, message = str(told.get("errorType", "")), str(told.get("errorMessage", ""))
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, errors.Refused):
        return found(message)
    return FunctionFailed(f"{function}: {name}: {message}; its log in CloudWatch says more")
