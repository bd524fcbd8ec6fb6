"""What has changed since a statement began, so that one that cannot be run to its end is undone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

_ABSENT = object()


class Journal:
    """Ways back, in order."""

    def __init__(self) -> None:
        self._back: list[Callable[[], None]] = []

    def mark(self) -> int:
        """Where a statement begins."""
        return len(self._back)

    def note(self, back: Callable[[], None]) -> None:
        """A change is coming; `back` undoes it."""
        self._back.append(back)

    def undo(self, mark: int) -> None:
        """Undo all that came after a mark."""
        while len(self._back) > mark:
            self._back.pop()()

    def clear(self) -> None:
        """Everything so far stays."""
        self._back.clear()

    def keep(self, mapping: MutableMapping[str, Any], name: str) -> None:
        """One entry of a mapping is about to change."""
        old = mapping.get(name, _ABSENT)

        def back() -> None:
            if old is _ABSENT:
                mapping.pop(name, None)
            else:
                mapping[name] = old

        self.note(back)

    def keep_path(self, path: Path) -> None:
        """A file or folder is about to change, or to be made with folders above it."""
        while not path.parent.exists():
            path = path.parent
        kept = _read(path)

        def back() -> None:
            _remove(path)
            _write(path, kept)

        self.note(back)


_Kept = tuple[bytes | dict[str, Any], int] | None


def _read(path: Path) -> _Kept:
    if path.is_symlink() or not path.exists():
        return None
    times = path.stat().st_mtime_ns
    if path.is_file():
        return path.read_bytes(), times
    return {inner.name: _read(inner) for inner in path.iterdir()}, times


def _write(path: Path, kept: _Kept) -> None:
    if kept is None:
        return
    content, times = kept
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.mkdir()
        for name, inner in content.items():
            _write(path / name, inner)
    os.utime(path, ns=(times, times))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
