"""What was allowed and refused: which statement of which role let which call through, once for each
kind of use, so that a run's calls can be compared with the template's policies."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from kiln_local.iam.statements import Check, Grant


@dataclass(frozen=True)
class Refusal:
    """A call that was refused."""

    caller: str
    operation: str
    text: str


@dataclass(frozen=True)
class Use:
    """A check that was allowed: by whose call, for which operation, by which statements."""

    caller: str
    operation: str
    check: Check
    grants: tuple[Grant, ...]


@dataclass
class Ledger:
    """Safe for threads. Of uses that the same statements allowed the first is kept: their number
    has the policies for a bound, not the run."""

    refused: list[Refusal] = field(default_factory=list)
    # Bucket and key of addresses that were signed by who may not read what they lead to.
    unsigned: set[tuple[str, str]] = field(default_factory=set)
    _uses: dict[tuple[str, str, str, tuple[Grant, ...]], Use] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, use: Use) -> None:
        """Note a check that was allowed."""
        key = (use.caller, use.operation, use.check.action, use.grants)
        if key not in self._uses:
            with self._lock:
                self._uses.setdefault(key, use)

    def refuse(self, refusal: Refusal) -> None:
        """Note a call that was refused."""
        with self._lock:
            self.refused.append(refusal)

    def uses(self) -> tuple[Use, ...]:
        """What was allowed, in the order of its first time."""
        with self._lock:
            return tuple(self._uses.values())

    def add(self, uses: Iterable[Use]) -> None:
        """Take over the uses of another run."""
        for use in uses:
            self.allow(use)
