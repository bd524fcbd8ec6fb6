"""The threads of one local AWS: none outlives it.

moto's backends are global. What still ran when its local AWS has ended would call the next one, or,
with moto gone, the real AWS.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)


class Ended(BaseException):
    """The local AWS has ended under a thread: it ends too. No `except Exception` may hold it up."""


class Crew:
    """Starts threads, and ends them where they wait. A thread that waits nowhere runs to its end.

    `Thread` and `Event` are stand-ins for those of `threading`: the first is of the crew, the
    second wakes when the crew ends and then raises Ended.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._events: weakref.WeakSet[threading.Event] = weakref.WeakSet()
        self.Thread = _thread_class(self)
        self.Event = _event_class(self)

    @property
    def over(self) -> bool:
        """Whether the local AWS has ended."""
        return self._over.is_set()

    def start(self, action: Callable[[], object]) -> None:
        """Run something in a thread of its own."""
        self.Thread(target=action, daemon=True).start()

    def sleep(self, seconds: float) -> None:
        """Sleep simulated seconds. Raises Ended."""
        if self._over.wait(max(0.0, seconds) / self._speed):
            raise Ended

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait simulated seconds for an event of the crew. Raises Ended."""
        self._events.add(event)
        if self.over:
            raise Ended
        found = threading.Event.wait(event, None if seconds is None else seconds / self._speed)
        if self.over:
            raise Ended
        return found

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
            thread.join(timeout=seconds)
        return [thread.name for thread in threads if thread.is_alive()]

    def enter(self, thread: threading.Thread) -> None:
        """A thread begins."""
        with self._lock:
            self._threads.add(thread)

    def leave(self, thread: threading.Thread) -> None:
        """A thread ends."""
        with self._lock:
            self._threads.discard(thread)


def _thread_class(crew: Crew) -> type[threading.Thread]:
    class CrewThread(threading.Thread):
        def start(self) -> None:
            if crew.over:
                return
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
                crew.leave(self)

    return CrewThread


def _event_class(crew: Crew) -> type[threading.Event]:
    class CrewEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return crew.wait(self, timeout)

    return CrewEvent


class Module:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
