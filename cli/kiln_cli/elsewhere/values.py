"""Values of files that compute: what is known when a file is read, and what is not.

A text of which a part is not known is an `Open`: it reads as it was written there, and says why.
The time of a build is not known either, but a blueprint can name its image by it: it is a mark
inside a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kiln.errors import InvalidRequest

# Of Unicode's private use: the time, the date alone and the time of day alone of a bake.
STAMP, DATE, TIME = "\ue000", "\ue001", "\ue002"
MARKS = re.compile(f"[{STAMP}{DATE}{TIME}]")

# Variables whose value is never written into a blueprint, whatever their file says of them.
_SECRET = re.compile(r"pass(word|phrase|wd)?(_|-|$)|secret|token|credential", re.IGNORECASE)

MOST_STEPS = 150_000
MOST_CHARACTERS = 4_000_000


def sounds_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret."""
    return bool(_SECRET.search(name))


class Open(str):
    """A text as it was written, of which something is not known; `why` says what and why not.
    `reference` is what it refers to where it is nothing but that."""

    why: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()


def opened(text: str, *why: str, reference: tuple[str, ...] = ()) -> Open:
    """An Open with its reasons, each once."""
    found = Open(text)
    found.why = tuple(dict.fromkeys(why))[:5]
    found.reference = reference
    return found


def reasons(values: Any) -> tuple[str, ...]:
    """Why something in a value, or below it, is not known; empty where all is."""
    return tuple(dict.fromkeys(why for found in _all(values) for why in found.why))[:5]


def _all(value: Any) -> Iterator[Open]:
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, Open):
            yield found
        elif isinstance(found, dict):
            left += found.values()
        elif isinstance(found, list):
            left += found


class Budget:
    """How much a file may make of what it says: values that stand for values grow fast."""

    def __init__(self) -> None:
        self._steps = 0
        self._characters = 0

    def step(self, text: str = "") -> None:
        """One value more, of so much text. Raises InvalidRequest."""
        self._steps += 1
        self._characters += len(text)
        if self._steps > MOST_STEPS or self._characters > MOST_CHARACTERS:
            raise InvalidRequest("holds values that grow without end when they are worked out")

    def whole(self, value: Any) -> None:
        """Everything in a value, as often as it would be written out."""
        left = [value]
        while left:
            found = left.pop()
            self.step(found if isinstance(found, str) else "")
            if isinstance(found, dict):
                left += found.values()
            elif isinstance(found, list):
                left += found


def each_text(value: Any, budget: Budget, work_out: Callable[[str], str]) -> Any:
    """A value with every text in it worked out."""
    budget.step()
    if isinstance(value, dict):
        return {key: each_text(inner, budget, work_out) for key, inner in value.items()}
    if isinstance(value, list):
        return [each_text(inner, budget, work_out) for inner in value]
    return work_out(value) if isinstance(value, str) else value
