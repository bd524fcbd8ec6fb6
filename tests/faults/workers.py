"""The processes of the matrix: each has a local AWS of its own, and takes what comes next."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from typing import Any

from tests.faults.cases import case_of
from tests.faults.trials import Trials

_WORKERS = 2
# What a process is asked: what happens on a ground, or how the cases of these names come out.
Asked = tuple[str, tuple[str, ...]]


def _work(asked: Any, told: Any) -> None:
    """Answer until nothing is asked any more."""
    with Trials() as grounds:
        while True:
            wanted: Asked | None = asked.get()
            if wanted is None:
                return
            what, names = wanted
            if what == "spy":
                told.put((names[0], grounds.occasions(names[0])))
            else:
                told.put((names[0], grounds.run([case_of(name) for name in names])))


class Workers:
    """Processes that answer."""

    def __enter__(self) -> Workers:
        ways = multiprocessing.get_context("spawn")
        self._asked, self._told = ways.Queue(), ways.Queue()
        self._all = [
            ways.Process(target=_work, args=(self._asked, self._told), daemon=True)
            for _ in range(_WORKERS)
        ]
        for process in self._all:
            process.start()
        return self

    def answers(self, asked: Sequence[Asked]) -> Iterator[tuple[str, Any]]:
        """The answers to all that is asked, as they come."""
        for wanted in asked:
            self._asked.put(wanted)
        for _ in asked:
            yield self._next()

    def _next(self) -> tuple[str, Any]:
        while True:
            try:
                return self._told.get(timeout=5)  # type: ignore[no-any-return]
            except queue.Empty:
                if not all(process.is_alive() for process in self._all):
                    raise SystemExit("a process of the matrix has died; see above") from None

    def __exit__(self, *_: object) -> None:
        for _ in self._all:
            self._asked.put(None)
        for process in self._all:
            process.join()
