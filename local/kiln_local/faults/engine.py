"""Which fault acts when: each counts the occurrences that fit it, from 1, and acts on those that it
names. The same order of occurrences gives the same faults; nothing is drawn.

Where several would act on one occurrence, the first of the list does, and all have counted it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from kiln_local.clock import SimClock
from kiln_local.faults import names
from kiln_local.faults.model import Fault, Kind
from kiln_local.scenes import Scene, scene


@dataclass(frozen=True)
class Occasion:
    """Something that a fault may happen to. `machine` is a name of the project's, as `bake` is."""

    kind: Kind
    service: str = ""
    operation: str = ""
    function: str = ""
    scene: Scene = field(default_factory=scene.get)


@dataclass(frozen=True)
class Firing:
    """A fault has acted: when, in simulated seconds of the local AWS, and where."""

    at_s: float
    operation: str
    function: str
    machine: str
    state: str
    execution: str


@dataclass
class _Watched:
    fault: Fault
    seen: int = 0
    first_s: float | None = None
    fired: list[Firing] = field(default_factory=list)


class Faults:
    """The faults of one local AWS. Safe for threads.

    `use` takes a new list and forgets the former one with its counts, also between two bakes of one
    local AWS. `told` is called for each that has acted.
    """

    def __init__(self, clock: SimClock, faults: Iterable[Fault] = ()) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.told: Callable[[Fault, Firing], None] = lambda *_: None
        self.use(faults)

    def use(self, faults: Iterable[Fault]) -> None:
        """From now on these and no others."""
        watched = [_Watched(fault) for fault in faults]
        named = {names.service_of(w.fault.service) for w in watched if w.fault.service}
        # By the names that botocore's events have for them.
        services = {names.model_of(name).service_id.hyphenize(): name for name in named}
        with self._lock:
            self._watched, self.services = watched, services

    def add(self, faults: Iterable[Fault]) -> None:
        """These too; of the others stays counted what was."""
        with self._lock:
            before = self._watched
        self.use([*(watched.fault for watched in before), *faults])
        with self._lock:
            self._watched[: len(before)] = before

    def due(self, occasion: Occasion, effects: Collection[str] = ()) -> Fault | None:
        """Count something that happens; the fault that acts on it. Where `effects` are named, only
        faults with one of them are looked at."""
        with self._lock:
            acting = [
                watched
                for watched in self._watched
                if (not effects or watched.fault.effect in effects)
                and fits(watched.fault, occasion)
                and self._counts(watched)
            ]
            if not acting:
                return None
            firing = self._fire(acting[0], occasion)
        self.told(acting[0].fault, firing)
        return acting[0].fault

    def all_due(self, occasion: Occasion) -> list[Fault]:
        """As `due`, where all that act can act side by side: as a state is entered."""
        with self._lock:
            acting = [w for w in self._watched if fits(w.fault, occasion) and self._counts(w)]
        return [watched.fault for watched in acting]

    def acted(self, fault: Fault, occasion: Occasion) -> None:
        """A fault of `all_due` has found what to act on."""
        with self._lock:
            watched = next((w for w in self._watched if w.fault is fault), None)
            if watched is None:
                return
            firing = self._fire(watched, occasion)
        self.told(fault, firing)

    def _counts(self, watched: _Watched) -> bool:
        watched.seen += 1
        first = watched.first_s
        since = None if first is None else self._clock.seconds() - first
        return watched.fault.acts_at(watched.seen, since)

    def _fire(self, watched: _Watched, occasion: Occasion) -> Firing:
        now = self._clock.seconds()
        if watched.first_s is None:
            watched.first_s = now
        at, where = round(now, 3), occasion.scene
        firing = Firing(
            at,
            f"{occasion.service}/{occasion.operation}" if occasion.service else "",
            occasion.function,
            machine=where.machine,
            state=where.state,
            execution=where.execution,
        )
        watched.fired.append(firing)
        return firing

    def report(self) -> list[dict[str, Any]]:
        """Each fault in the order of the list, JSON-ready: {fault, seen, fired}; `seen` is how
        often something fitted, `fired` has a row each time that the fault has acted."""
        with self._lock:
            return [
                {
                    "fault": str(watched.fault),
                    "seen": watched.seen,
                    "fired": [asdict(firing) for firing in watched.fired],
                }
                for watched in self._watched
            ]


def fits(fault: Fault, occasion: Occasion) -> bool:
    """Whether an occasion is one of those that a fault counts."""
    if fault.kind != occasion.kind or not _is_there(fault, occasion.scene):
        return False
    if fault.kind == "state":
        return True
    if names.service_of(str(fault.service)) != occasion.service:
        return False
    if fault.operation not in (names.ANY, occasion.operation):
        return False
    if fault.function and fault.function != occasion.function:
        return False
    # A state machine has no process that could crash.
    return bool(occasion.function) or not fault.crash


def _is_there(fault: Fault, where: Scene) -> bool:
    when = fault.when
    return (
        (not when.machine or when.machine == where.machine)
        and (not when.state or when.state == where.state)
        and (not when.execution or fnmatchcase(where.execution, when.execution))
    )
