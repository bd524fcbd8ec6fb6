"""Drive C: of a simulated Windows: a folder; names mind no case, nothing outside is reached."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kiln_local.windows.errors import ScriptError
from kiln_local.windows.objects import file_item
from kiln_local.windows.strings import wildcard
from kiln_local.windows.values import Bag

_PATH = re.compile(r"^(?i:c):\\?")
# What Windows itself refuses in a name; two dots would leave the folder.
_REFUSED = re.compile(r'[/:"<>|\0]')


class Drive:
    """Files by Windows paths. Every failure is a ScriptError with the path, as cmdlets say it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _parts(self, path: str) -> list[str]:
        if not _PATH.match(path):
            raise ScriptError(
                f"Cannot find drive or path '{path}': the simulated Windows has C: only."
            )
        parts = [part for part in _PATH.sub("", path).split("\\") if part not in ("", ".")]
        if any(part == ".." or _REFUSED.search(part) for part in parts):
            raise ScriptError(
                f"The path '{path}' is not plain, and nothing outside of C: is reached."
            )
        return parts

    def _real(self, path: str) -> Path:
        """The host's path: existing names as they are written, no link followed."""
        found = self._folder
        for part in self._parts(path):
            found = self._child(found, part) or found / part
        return found

    @staticmethod
    def _child(folder: Path, name: str) -> Path | None:
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return None
        match = next((e for e in entries if e.name.lower() == name.lower()), None)
        if match is not None and match.is_symlink():
            raise ScriptError(f"'{name}' is a link, which the simulated Windows does not follow.")
        return folder / match.name if match else None

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return self._real(path).exists()

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder."""
        return self._real(path).is_dir()

    def read_bytes(self, path: str) -> bytes:
        """A file's content."""
        try:
            return self._real(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ScriptError(f"Could not find file '{path}'.") from error

    def read(self, path: str) -> str:
        """A file's text."""
        return self.read_bytes(path).decode("utf-8", errors="replace")

    def write(self, path: str, content: str) -> None:
        """Write a file; its folder must be there."""
        self.write_bytes(path, content.encode())

    def write_bytes(self, path: str, content: bytes) -> None:
        """Write a file; its folder must be there."""
        try:
            self._real(path).write_bytes(content)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ScriptError(f"Could not find a part of the path '{path}'.") from error

    def make_folder(self, path: str) -> None:
        """A folder with those above it."""
        self._real(path).mkdir(parents=True, exist_ok=True)

    def remove(self, path: str, recurse: bool = True) -> None:
        """Remove a file or a folder."""
        real = self._real(path)
        if real.is_dir():
            if not recurse and any(real.iterdir()):
                raise ScriptError(f"The folder '{path}' is not empty.")
            shutil.rmtree(real)
        else:
            real.unlink(missing_ok=True)

    def move(self, source: str, target: str, copy: bool = False) -> None:
        """Move or copy; into a folder where the target is one."""
        real, to = self._real(source), self._real(target)
        if not real.exists():
            raise ScriptError(f"Cannot find path '{source}' because it does not exist.")
        to = to / real.name if to.is_dir() else to
        if copy and real.is_dir():
            shutil.copytree(real, to, dirs_exist_ok=True)
        elif copy:
            shutil.copy2(real, to)
        else:
            shutil.move(real, to)

    def item(self, path: str) -> Bag:
        """A file or folder as an object."""
        real = self._real(path)
        try:
            state = real.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.") from error
        shown = "C:\\" + "\\".join(real.relative_to(self._folder).parts)
        written = datetime.fromtimestamp(state.st_mtime, UTC)
        return file_item(shown, real.is_dir(), state.st_size, written)

    def find(self, pattern: str) -> list[str]:
        """Paths that match, `*` and `?` in any part, in order."""
        return sorted(self._matching(self._folder, "C:", self._parts(pattern)), key=str.lower)

    def _matching(self, folder: Path, shown: str, parts: list[str]) -> Iterator[str]:
        if not parts:
            yield shown
            return
        expression = wildcard(parts[0])
        try:
            names = [e.name for e in os.scandir(folder) if not e.is_symlink()]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            if expression.match(name):
                yield from self._matching(folder / name, f"{shown}\\{name}", parts[1:])

    def children(self, path: str, recurse: bool) -> list[str]:
        """Paths below a folder, in order."""
        real = self._real(path)
        if not real.exists():
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        if real.is_file():
            return [path]
        found: list[str] = []
        for name in sorted((e.name for e in os.scandir(real) if not e.is_symlink()), key=str.lower):
            inner = f"{path.rstrip(chr(92))}\\{name}"
            found.append(inner)
            if recurse and (real / name).is_dir():
                found += self.children(inner, recurse)
        return found
