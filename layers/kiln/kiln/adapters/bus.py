"""Kiln's event bus on EventBridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import refusal, translated
from kiln.domain.events import SOURCE, Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeBus:
    """`Bus` on EventBridge."""

    def __init__(self, events: EventBridgeClient, bus: str) -> None:
        self._events = events
        self._bus = bus

    def publish(self, event: Event) -> None:
        """One PutEvents call. It answers 200 for an entry that failed: the count tells."""
        entry: Any = {
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail()),
            "EventBusName": self._bus,
        }
        with translated("events", "PutEvents"):
            answer = self._events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            message = f"{event.detail_type}: {failed.get('ErrorMessage', '')}"
            raise refusal("events", "PutEvents", failed.get("ErrorCode", "Unknown"), message)
