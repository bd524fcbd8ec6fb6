"""Dead letters: three shapes of one thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kiln.errors import InvalidRequest
from kiln_cli.dead_letters import chosen, letter_from

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:kiln-AddToLayersFunction"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:kiln-bake"
EVENT = {"detail-type": "Image Available", "detail": {"bake": "web-1"}}
RECORD = {
    "version": "1.0",
    "requestContext": {
        "requestId": "1",
        "functionArn": f"{FUNCTION}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    },
    "requestPayload": EVENT,
    "responsePayload": {"errorType": "AwsBusy", "errorMessage": "dynamodb:PutItem is busy"},
}


def a_message(body: object, **attributes: str) -> dict[str, Any]:
    """A message as ReceiveMessage gives it."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "MessageId": "m-1",
        "ReceiptHandle": "r-1",
        "Body": text,
        "Attributes": {"SentTimestamp": "1795000000000"},
        "MessageAttributes": {k: {"StringValue": v} for k, v in attributes.items()},
    }


def test_what_a_function_failed_on_is_sent_to_its_newest_version() -> None:
    letter = letter_from(a_message(RECORD))
    assert (letter.target, letter.payload) == (FUNCTION, EVENT)
    assert (letter.error, letter.cause) == ("AwsBusy", "dynamodb:PutItem is busy")
    assert letter.about == "Image Available"
    assert letter.sent == datetime.fromtimestamp(1795000000, UTC)


def test_a_function_that_was_cut_off_has_no_error_of_its_own() -> None:
    record = RECORD | {"responsePayload": None}
    assert letter_from(a_message(record)).error == "RetriesExhausted"


def test_what_a_rule_could_not_hand_over_names_its_target() -> None:
    told = {"TARGET_ARN": FUNCTION, "ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "no"}
    letter = letter_from(a_message(EVENT, RULE_ARN="arn:aws:events:x", **told))
    assert (letter.target, letter.payload, letter.error) == (FUNCTION, EVENT, "NO_PERMISSIONS")


def test_what_a_schedule_could_not_start_names_its_machine_and_its_blueprint() -> None:
    body = {"blueprint": "web", "trigger": "schedule"}
    told = {"TARGET_ARN": MACHINE, "SCHEDULE_ARN": "arn:aws:scheduler:x", "ERROR_CODE": "X"}
    letter = letter_from(a_message(body, **told))
    assert (letter.target, letter.about) == (MACHINE, "web")


@pytest.mark.parametrize("body", ["no JSON", "[]", "{}", "null"])
def test_a_letter_of_another_make_is_shown_and_stays(body: str) -> None:
    letter = letter_from(a_message(body))
    assert (letter.target, letter.error, letter.about) == (None, "Unknown", "-")
    assert chosen([letter], ()) == []
    with pytest.raises(InvalidRequest, match="m-1: does not say which function"):
        chosen([letter], ("m-1",))


def test_a_letter_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InvalidRequest, match="m-2: is no letter of the queue; there are: m-1"):
        chosen([letter_from(a_message(RECORD))], ("m-2",))


def test_a_letter_for_another_service_is_not_sent_anywhere() -> None:
    letter = letter_from(a_message(EVENT, TARGET_ARN="arn:aws:sqs:eu-west-1:1:q"))
    assert chosen([letter], ()) == []
