"""Faults of events on their way to a target: lost, doubled, late and so out of order. Each delivery
to one target of one rule is an occurrence, in the order in which they are sent.
"""

from __future__ import annotations

from kiln_local.events import AwsEvents
from kiln_local.faults.engine import Faults, Occasion
from kiln_local.functions import Functions


def connect(events: AwsEvents, functions: Functions, faults: Faults) -> None:
    """Stand before every delivery."""

    def copies(detail_type: str, target: str) -> list[float]:
        function = functions.folder(target.rpartition(":")[2])
        fault = faults.due(Occasion("event", "events", detail_type, function))
        if fault is None:
            return [0.0]
        if fault.drop:
            return []
        return [0.0, fault.delay_s or 0.0] if fault.double else [fault.delay_s or 0.0]

    events.copies = copies
