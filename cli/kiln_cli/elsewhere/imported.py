"""What came of an import: a file's document, and what is not in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiln_cli.elsewhere.notes import Note, Notes

Document = dict[str, Any]


@dataclass
class Imported:
    """A document of a blueprint or stack file; `origin` says in words what it was made from."""

    document: Document
    origin: str = ""
    notes: Notes = field(default_factory=Notes)

    @property
    def name(self) -> str:
        """The stack's or the blueprint's name."""
        return str(self.document["name"])


def shown(imported: Imported) -> dict[str, Any]:
    """JSON-ready."""
    notes = imported.notes
    return {
        "name": imported.name,
        "document": imported.document,
        "dropped": [_row(note) for note in notes.dropped],
        "assumed": [_row(note) for note in notes.assumed],
        "wanted": [_row(note) for note in notes.wanted],
    }


def _row(note: Note) -> dict[str, str]:
    return {"object": note.about, "field": note.field, "reason": note.reason}
