"""The functions of a local AWS under the emulator instead of in its process: started cold when an
invocation finds no idle environment of its function, kept warm afterwards.

On Lambda each environment starts on a processor of its own. This machine has a few: of those that
start for an event that nobody waits for, one follows the other, so that they do not hold up what
somebody does wait for.

They reach AWS by HTTP like any client, known by their access key, which is the function's folder. A
call of theirs counts as one of a function. Its role is not asked, and no fault befalls it: both are
for functions that run in the process.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln_local.asynchronous import unawaited
from kiln_local.crew import Ended
from kiln_local.emulator import Environment, Function, Kit
from kiln_local.functions import Answer

if TYPE_CHECKING:
    from kiln_local.world import LocalAws


# What a start takes, about; on a slow machine they overlap.
_START_S = 0.3


class RealTimeOnly(ValueError):
    """Processes of their own know real time alone."""


@dataclass(frozen=True)
class Invoked:
    """An invocation: the function's folder and memory, whether its environment was new, and
    milliseconds."""

    function: str
    memory_mb: int
    cold: bool
    ms: float


@dataclass
class Emulated:
    """All execution environments of one local AWS. Safe for threads."""

    kit: Kit
    functions: dict[str, Function]
    heard: Callable[[str], object]
    invoked: list[Invoked] = field(default_factory=list)
    _idle: dict[str, list[Environment]] = field(default_factory=lambda: defaultdict(list))
    _all: list[Environment] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free_at: float = 0.0
    _ended: bool = False

    def run(self, name: str, event: Any) -> Answer:
        """Invoke a function by its physical name."""
        environment, cold = self._take(name)
        if cold and unawaited.get():
            time.sleep(self._until_free_s())
        began = time.monotonic()
        answer = environment.invoke(event)
        ms = (time.monotonic() - began) * 1000
        with self._lock:
            if environment.alive:
                self._idle[name].append(environment)
            function = self.functions[name]
            self.invoked.append(Invoked(function.folder.name, function.memory_mb, cold, ms))
        return answer

    def _take(self, name: str) -> tuple[Environment, bool]:
        with self._lock:
            if self._idle[name]:
                # The one that was used last, as Lambda does: others may be let go.
                return self._idle[name].pop(), False
            # Within the lock: what is made when all are ended would outlive them.
            if self._ended:
                raise Ended
            made = Environment(self.functions[name], self.kit, self._hear)
            self._all.append(made)
        return made, True

    def _until_free_s(self) -> float:
        """Until the start before this one is over."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._free_at)
            self._free_at = at + _START_S
            return at - now

    def _hear(self, line: str) -> None:
        # Whoever listens when it is said.
        self.heard(line)

    def end(self) -> None:
        """End all environments."""
        with self._lock:
            self._ended = True
            environments, self._all = self._all, []
        for environment in environments:
            environment.end()


def functions_of(aws: LocalAws, endpoint: str) -> dict[str, Function]:
    """The functions of the template as Lambda tells their environments, by physical name."""
    return {
        name: Function(
            name=name,
            folder=aws.project / told["Path"],
            handler=told["Handler"],
            limit_s=float(told["Timeout"]),
            memory_mb=int(told["MemorySize"]),
            variables=told["Environment"]["Variables"] | told_of_aws(aws, endpoint, told["Path"]),
        )
        for name, told in aws.functions.specifications.items()
    }


def told_of_aws(aws: LocalAws, endpoint: str, path: str) -> dict[str, str]:
    """Where AWS is, and credentials by which calls are known as the function's in that folder."""
    key = Path(path).name
    return {
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": key,
        "AWS_ENDPOINT_URL": endpoint,
    }


@contextmanager
def emulated(aws: LocalAws, endpoint: str, shares: Path | None = None) -> Iterator[Emulated]:
    """Within the block the functions of a local AWS, served there, run under the emulator, with
    their shares of a processor where `shares` says where control groups are made. Raises NoKit, and
    RealTimeOnly for one that is sped up."""
    if aws.clock.speed != 1:
        raise RealTimeOnly("functions under the emulator live in real time: the speed must be 1")
    kit = replace(Kit.of(aws.project), shares=shares)
    found = Emulated(kit, functions_of(aws, endpoint), _metrics(aws))
    aws.recorder.functions = frozenset(one.folder.name for one in found.functions.values())
    before, aws.functions.run = aws.functions.run, found.run
    try:
        yield found
    finally:
        aws.functions.run = before
        found.end()


def _metrics(aws: LocalAws) -> Callable[[str], object]:
    """Takes what functions print, for the metrics in it."""

    def heard(line: str) -> None:
        if line.startswith("{"):
            aws.metrics.printed(line)

    return heard
