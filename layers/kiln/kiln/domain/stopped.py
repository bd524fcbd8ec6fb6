"""An execution that ended without coming to its own end, and the one that ends it in its place."""

from __future__ import annotations

import hashlib

from kiln.domain.failure import Failure
from kiln.domain.model import Model

# Step Functions API, StartExecution, name.
_LONGEST_NAME = 80


class Stopped(Model):
    """What an execution that ends another one's work is told: `of` is the name of the first in the
    row, the one that began the work; error and cause are why that ended."""

    of: str
    error: str
    cause: str

    @property
    def failure(self) -> Failure:
        """What the work ends with."""
        return Failure(error=self.error, cause=self.cause)


def end_name(of: str, number: int) -> str:
    """The name of the n-th execution that ends the work of another one: the same two give the same
    name, so that an event that comes twice starts one."""
    end = "_end" if number == 1 else f"_end{number}"
    if len(of) + len(end) <= _LONGEST_NAME:
        return of + end
    digest = hashlib.sha256(of.encode()).hexdigest()[:8]
    return f"{of[: _LONGEST_NAME - len(end) - 9]}-{digest}{end}"
