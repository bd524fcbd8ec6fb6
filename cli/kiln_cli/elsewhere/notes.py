"""What an import could not carry over, field by field, what it had to assume, and what is left for
the user to fill in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {})
# A file of a thousand odd fields is told in some of them.
MOST_LINES = 400
_LONGEST = 400


@dataclass(frozen=True)
class Note:
    """One field of one object, by its tool's own name; `about` is the object."""

    about: str
    field: str
    reason: str


@dataclass
class Notes:
    """In the order in which they were made."""

    dropped: list[Note] = field(default_factory=list)
    assumed: list[Note] = field(default_factory=list)
    wanted: list[Note] = field(default_factory=list)

    def drop(self, about: str, name: str, reason: str) -> None:
        """A field, or a value of it, that is not in the file."""
        self.dropped.append(Note(about, name, reason))

    def assume(self, about: str, name: str, reason: str) -> None:
        """A value in the file that the other tool did not say so."""
        self.assumed.append(Note(about, name, reason))

    def want(self, about: str, name: str, reason: str) -> None:
        """What the user has to write before the file does what the other one did."""
        self.wanted.append(Note(about, name, reason))

    def said(self) -> list[tuple[str, str]]:
        """All of it for a person, what is to be done first: (what it is, a line)."""
        kinds = (
            ("to fill in", self.wanted),
            ("assumed", self.assumed),
            ("not carried over", self.dropped),
        )
        found = [(kind, line) for kind, notes in kinds for line in lines(notes)]
        left = len(found) - MOST_LINES
        if left > 0:
            return [*found[:MOST_LINES], ("and", f"{left} more like these; --json has them all")]
        return found


def lines(notes: Iterable[Note]) -> list[str]:
    """For a person: what is said of many objects stands once."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        found.setdefault((note.field, note.reason), []).append(note.about)
    made = [f"{name} of {_objects(about)}: {reason}" for (name, reason), about in found.items()]
    return [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in made]


def _objects(about: list[str]) -> str:
    shown = list(dict.fromkeys(about))
    return (
        ", ".join(shown) if len(shown) <= 3 else f"{', '.join(shown[:2])} and {len(shown) - 2} more"
    )
