"""A failure as a state machine reports it, made readable."""

from __future__ import annotations

import json

from kiln.domain.model import Lenient

# An execution's cause may be 32,768 characters long (Step Functions API, SensitiveCause).
LONGEST_CAUSE = 4_000


class Failure(Lenient):
    """What ended a bake: the error's name, AWS's or our cause, and the state that it happened
    in."""

    error: str
    cause: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        """The error's name as a Fail state may carry it: names that begin with `States.` are
        reserved."""
        return self.error.replace("States.", "StepFunctions.", 1)

    @property
    def reason(self) -> str:
        """The cause as a person reads it.

        Lambda wraps what a function raised in JSON with `errorMessage` (Lambda Developer Guide,
        "Function errors in Python"); a failed callback's cause is the plain text itself.
        """
        try:
            found = json.loads(self.cause)
        except ValueError:
            return self.cause[:LONGEST_CAUSE]
        message = found.get("errorMessage") if isinstance(found, dict) else None
        return (message if isinstance(message, str) else self.cause)[:LONGEST_CAUSE]


def tail(text: str, characters: int = 1_500) -> str:
    """The end of an output, which is where the reason stands."""
    text = text.strip()
    return text if len(text) <= characters else "..." + text[-characters:]
