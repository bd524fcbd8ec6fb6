"""The threads of one local AWS: none outlives it, and time knows whether one of them works.

moto's backends are global. What still ran when its local AWS has ended would call the next one, or,
with moto gone, the real AWS.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

_log = logging.getLogger(__name__)
# Longer than anything here lives: the time limit of a task that has none is 99999999 seconds.
_FOR_EVER_S = 10_000_000.0


class Ended(BaseException):
    """The local AWS has ended under a thread: it ends too. No `except Exception` may hold it up."""


class Flow(Protocol):
    """How time passes: it is told who begins to work and who ends, and wakes at a time."""

    steady: bool
    speed: float

    def work(self, more: int) -> None:
        """So many threads more, or less, work."""

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later."""


class Crew:
    """Starts threads, and ends them where they wait. A thread that waits nowhere runs to its end.

    `Thread` and `Event` are stand-ins for those of `threading`: the first is of the crew, the
    second wakes when the crew ends and then raises Ended.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._events: weakref.WeakSet[threading.Event] = weakref.WeakSet()
        self.Thread = _thread_class(self)
        self.Event: Any = _steady_event_class(self) if flow.steady else _event_class(self)

    @property
    def over(self) -> bool:
        """Whether the local AWS has ended."""
        return self._over.is_set()

    def start(self, action: Callable[[], object]) -> None:
        """Run something in a thread of its own."""
        self.Thread(target=action, daemon=True).start()

    def sleep(self, seconds: float) -> None:
        """Sleep simulated seconds. Raises Ended."""
        if self._flow.steady:
            self.Event().wait(max(0.0, seconds))
        elif self._over.wait(max(0.0, seconds) / self._flow.speed):
            raise Ended

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait simulated seconds for an event of the crew. Raises Ended."""
        self.watch(event)
        timeout = None if seconds is None else seconds / self._flow.speed
        found = threading.Event.wait(event, timeout)
        self.check()
        return found

    def watch(self, event: threading.Event) -> None:
        """Wake whoever waits for an event when the local AWS ends. Raises Ended."""
        self._events.add(event)
        self.check()

    def check(self) -> None:
        """Raise Ended where the local AWS has ended."""
        if self.over:
            raise Ended

    def pause(self, waiter: Waiter, seconds: float | None) -> None:
        """Let a thread wait until somebody wakes it, or until its time is over; time passes
        meanwhile as if it were not there."""
        if seconds is not None and seconds < _FOR_EVER_S:
            self._flow.after(seconds, waiter.wake)
        if waiter.counts:
            self._flow.work(-1)
        waiter.wait()

    def waiter(self) -> Waiter:
        """For this thread's next wait."""
        counts = isinstance(threading.current_thread(), self.Thread)
        return Waiter(self._flow, counts)

    def end(self) -> None:
        """Wake whoever waits; each then ends."""
        self._over.set()
        for event in list(self._events):
            event.set()

    def join(self, seconds: float) -> list[str]:
        """Wait real seconds at most for all to end; the names of those that have not."""
        with self._lock:
            threads = [t for t in self._threads if t is not threading.current_thread()]
        for thread in threads:
            threading.Thread.join(thread, timeout=seconds)
        return [thread.name for thread in threads if thread.is_alive()]

    def enter(self, thread: threading.Thread) -> None:
        """A thread begins."""
        with self._lock:
            self._threads.add(thread)
        self._flow.work(1)

    def leave(self, thread: threading.Thread) -> None:
        """A thread ends."""
        with self._lock:
            self._threads.discard(thread)
        self._flow.work(-1)


class Waiter:
    """One wait of one thread. Who wakes it says in the same moment that it works again, so that no
    time passes until it has come round."""

    def __init__(self, flow: Flow, counts: bool) -> None:
        self.counts = counts
        self._flow = flow
        self._lock = threading.Lock()
        self._woken = threading.Event()

    def wait(self) -> None:
        """Until it is woken."""
        self._woken.wait()

    def wake(self) -> None:
        """Once; again is nothing."""
        with self._lock:
            if self._woken.is_set():
                return
            if self.counts:
                self._flow.work(1)
            self._woken.set()


def _thread_class(crew: Crew) -> type[threading.Thread]:
    class CrewThread(threading.Thread):
        def start(self) -> None:
            if crew.over:
                return
            self._done = crew.Event()
            crew.enter(self)
            super().start()

        def run(self) -> None:
            try:
                super().run()
            except Ended:
                pass
            except Exception:
                # What it called is being taken apart; a fault of that is no news.
                if not crew.over:
                    raise
                _log.debug("a thread met the end of its local AWS", exc_info=True)
            finally:
                self._done.set()
                crew.leave(self)

        def join(self, timeout: float | None = None) -> None:
            # A thread that waits for another one does not work.
            if self._done.wait(timeout):
                super().join()

    return CrewThread


def _event_class(crew: Crew) -> type[threading.Event]:
    class CrewEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return crew.wait(self, timeout)

    return CrewEvent


def _steady_event_class(crew: Crew) -> type[threading.Event]:
    class SteadyEvent(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            self._mutex = threading.Lock()
            self._waiters: list[Waiter] = []

        def set(self) -> None:
            with self._mutex:
                super().set()
                woken, self._waiters = self._waiters, []
            for waiter in woken:
                waiter.wake()

        def wait(self, timeout: float | None = None) -> bool:
            crew.watch(self)
            waiter = crew.waiter()
            with self._mutex:
                waits = not self.is_set()
                if waits:
                    self._waiters.append(waiter)
            if waits:
                crew.pause(waiter, timeout)
            crew.check()
            with self._mutex:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
            return self.is_set()

    return SteadyEvent


class Module:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
