"""Calling one of Kiln's functions and waiting for its answer: who asks needs no more than
lambda:InvokeFunction, and what is done is what the function may do."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.config import Config

from kiln import errors
from kiln.adapters._errors import translated
from kiln.errors import AwsRefused, KilnError
from kiln_cli.place import Place

# Lambda's longest run is 15 minutes; a call that is sent again would run a second time.
_PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})
# AwsRefused, as it says itself.
_REFUSAL = re.compile(r"(\w+):(\w+) was refused: ([^:]+): (.*)", re.DOTALL)


class FunctionFailed(KilnError):
    """A function ended with an error that is none of a user's."""


def invoke(place: Place, output: str, payload: dict[str, Any]) -> Any:
    """The answer of the function that an output of the stack names. An error of Kiln's is raised
    again as what it is; FunctionFailed for any other; AwsRefused, AwsBusy."""
    function = place.outputs.get(output)
    if function is None:
        raise AwsRefused(
            *("cloudformation", "DescribeStacks", "NoOutputs"),
            f"stack {place.stack_name} has no output {output}: it is of an older Kiln; deploy the "
            "template again",
        )
    client: Any = place.session.client("lambda", config=_PATIENT)
    with translated("lambda", "Invoke"):
        answer = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise _error(function, told)
    return told


def _error(function: str, told: Any) -> KilnError:
    """The error that a function ended with (Lambda Developer Guide, "Function errors in Python":
    errorType and errorMessage; a time-out has the message alone)."""
    name, message = str(told.get("errorType", "")), str(told.get("errorMessage", ""))
    found = getattr(errors, name, KilnError)
    refused = _REFUSAL.fullmatch(message)
    if isinstance(found, type) and issubclass(found, AwsRefused) and refused:
        return found(*refused.groups())
    known = isinstance(found, type) and issubclass(found, KilnError) and found is not KilnError
    if known and not issubclass(found, AwsRefused):
        return found(message)
    return FunctionFailed(f"{function}: {name}: {message}; its log in CloudWatch says more")
