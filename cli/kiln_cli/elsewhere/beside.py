"""Scripts and files that another tool's file names: read from beside it, never from elsewhere, for
no stranger's file may bring a user's keys into a blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiln.errors import InvalidBlueprint

# A step's script may have 36,000 bytes; a file in one is base64 of it at worst.
LARGEST_SCRIPT = 36_000
LARGEST_CONTENT = 24_000


@dataclass(frozen=True)
class Beside:
    """What became of a name: its content, or why there is none."""

    content: bytes | None = None
    why: str = ""
    missing: bool = False


def read_beside(name: str, folder: Path, largest: int) -> Beside:
    """A file below a folder, links followed."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            return Beside(why="is not beside the template or below")
        if path.is_dir():
            return Beside(why="is a folder; put what is in it into S3, and let a step fetch it")
        if not path.is_file():
            return Beside(why="is not there", missing=True)
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except (OSError, ValueError, RuntimeError):
        return Beside(why="cannot be read")
    if len(content) > largest:
        return Beside(
            why=f"is larger than {largest} bytes; put it into S3, and let a step fetch it"
        )
    return Beside(content)


def script_text(found: Beside) -> str:
    """A script's text. Raises InvalidBlueprint."""
    try:
        return (found.content or b"").decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidBlueprint("is no UTF-8 text") from error
