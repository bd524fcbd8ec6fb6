"""What reaches the bus, and what is said of an entry that does not."""

from __future__ import annotations

import json

import pytest

from kiln.adapters.bus import EventBridgeBus
from kiln.domain.events import BakeStarted
from kiln.errors import AwsBusy, AwsRefused
from tests.builders import BAKE
from tests.stubs import scripted

STARTED = BakeStarted(bake=BAKE, blueprint="web", version=1, base="ami-1")


def test_an_event_goes_to_the_bus_as_json() -> None:
    detail = {"bake": BAKE, "blueprint": "web", "version": 1, "base": "ami-1"}
    entry = {
        "Source": "kiln",
        "DetailType": "Bake Started",
        "Detail": json.dumps(detail),
        "EventBusName": "kiln",
    }
    with scripted("events") as events:
        answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
        events.answer("put_events", answer, {"Entries": [entry]})
        EventBridgeBus(events.client, "kiln").publish(STARTED)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", AwsBusy),
        ("InternalFailure", AwsBusy),
        ("NotAuthorizedForDetailTypeException", AwsRefused),
        ("MalformedDetail", AwsRefused),
    ],
)
def test_an_entry_that_the_bus_does_not_take_is_an_error(code: str, error: type[Exception]) -> None:
    """PutEvents answers 200 and says of each entry what became of it (EventBridge API,
    PutEventsResultEntry)."""
    entry = {"ErrorCode": code, "ErrorMessage": "words of AWS"}
    with scripted("events") as events:
        events.answer("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
        with pytest.raises(error, match="Bake Started: words of AWS"):
            EventBridgeBus(events.client, "kiln").publish(STARTED)
