"""Drive C: of a simulated Windows: a folder; names mind no case, nothing outside is reached."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kiln_local.windows import textfiles
from kiln_local.windows.errors import ScriptError
from kiln_local.windows.journal import Journal
from kiln_local.windows.objects import file_item
from kiln_local.windows.paths import elsewhere, parts
from kiln_local.windows.strings import wildcard
from kiln_local.windows.values import Bag

_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class Drive:
    """Files by Windows paths. Every failure is a ScriptError with the path, as cmdlets say it."""

    def __init__(self, folder: Path, journal: Journal | None = None) -> None:
        self._folder = folder
        self._journal = journal or Journal()

    def _real(self, path: str) -> Path:
        """The host's path: existing names as they are written, no link followed."""
        found = self._folder
        for part in parts(path):
            found = self._inside(found, part)
        return found

    def _inside(self, folder: Path, name: str) -> Path:
        return self._child(folder, name) or folder / name

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

    def _own(self, path: str) -> Path:
        """As _real, but not the drive itself."""
        real = self._real(path)
        if real == self._folder:
            raise ScriptError(f"Cannot remove or move '{path}' because it is in use.")
        return real

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return not elsewhere(path) and self._real(path).exists()

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder."""
        return not elsewhere(path) and self._real(path).is_dir()

    def read_bytes(self, path: str) -> bytes:
        """A file's content."""
        try:
            return self._real(path).read_bytes()
        except _NO_FILE as error:
            raise ScriptError(f"Could not find file '{path}'.") from error

    def read(self, path: str, encoding: str = textfiles.UTF8) -> str:
        """A file's text, in an encoding where no mark says another."""
        return textfiles.decoded(self.read_bytes(path), encoding)

    def write(self, path: str, content: str, encoding: str = textfiles.UTF8) -> None:
        """Write a file; its folder must be there."""
        self.write_bytes(path, textfiles.encoded(content, encoding))

    def append(self, path: str, content: str, encoding: str = textfiles.UTF8) -> None:
        """Write behind what is there; a mark only at the start of a file."""
        before = self.read_bytes(path) if self.exists(path) else b""
        self.write_bytes(path, before + textfiles.encoded(content, encoding, mark=not before))

    def write_bytes(self, path: str, content: bytes) -> None:
        """Write a file; its folder must be there."""
        real = self._real(path)
        self._journal.keep_path(real)
        try:
            real.write_bytes(content)
        except _NO_FILE as error:
            raise ScriptError(f"Could not find a part of the path '{path}'.") from error

    def make_folder(self, path: str) -> None:
        """A folder with those above it."""
        real = self._real(path)
        self._journal.keep_path(real)
        try:
            real.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ScriptError(f"An item with the name '{path}' already exists.") from error

    def remove(self, path: str, recurse: bool = True) -> None:
        """Remove a file or a folder."""
        real = self._own(path)
        if real.is_dir() and not recurse and any(real.iterdir()):
            raise ScriptError(f"The folder '{path}' is not empty.")
        self._journal.keep_path(real)
        if real.is_dir():
            shutil.rmtree(real)
        else:
            real.unlink(missing_ok=True)

    def _target(self, source: Path, path: str) -> Path:
        """Where a copy or move ends: in a folder where the target is one."""
        to = self._real(path)
        to = self._inside(to, source.name) if to.is_dir() else to
        if not to.parent.is_dir():
            raise ScriptError(f"Could not find a part of the path '{path}'.")
        if to == source or source in to.parents:
            raise ScriptError(f"Cannot overwrite the item '{path}' with itself.")
        self._journal.keep_path(to)
        return to

    def _source(self, path: str) -> Path:
        real = self._own(path)
        if not real.exists():
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        return real

    def move(self, source: str, target: str, force: bool = False) -> None:
        """Move; a file that is there only where it is to be forced."""
        real = self._source(source)
        to = self._target(real, target)
        if to.exists() and not (force and to.is_file() and real.is_file()):
            raise ScriptError("Cannot create a file when that file already exists.")
        self._journal.keep_path(real)
        shutil.move(real, to)

    def copy(self, source: str, target: str, recurse: bool) -> None:
        """Copy; of a folder without `recurse` the folder alone. Links stay behind."""
        real = self._source(source)
        self._copied(real, self._target(real, target), recurse)

    def _copied(self, real: Path, to: Path, recurse: bool) -> None:
        if not real.is_dir():
            if to.is_dir():
                raise ScriptError(f"Cannot copy onto the folder '{to.name}'.")
            shutil.copy2(real, to)
            return
        if to.is_file():
            raise ScriptError("Container cannot be copied onto existing leaf item.")
        to.mkdir(exist_ok=True)
        for entry in list(os.scandir(real)) if recurse else []:
            if not entry.is_symlink():
                self._copied(real / entry.name, self._inside(to, entry.name), recurse)

    def rename(self, path: str, name: str) -> None:
        """Give a file another name in its folder."""
        real = self._source(path)
        if len(parts(f"C:\\{name}")) != 1 or "\\" in name or "/" in name:
            raise ScriptError("Cannot rename: the new name is a path.")
        to = real.parent / name
        if self._child(real.parent, name) not in (None, real):
            raise ScriptError("Cannot create a file when that file already exists.")
        self._journal.keep_path(to)
        self._journal.keep_path(real)
        real.rename(to)

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
        found = self._matching(self._folder, "C:", parts(pattern, wildcards=True))
        return sorted(found, key=str.lower)

    def _matching(self, folder: Path, shown: str, names: list[str]) -> Iterator[str]:
        if not names:
            yield shown
            return
        expression = wildcard(names[0])
        for entry in _entries(folder):
            if expression.match(entry):
                yield from self._matching(folder / entry, f"{shown}\\{entry}", names[1:])

    def children(self, path: str, recurse: bool) -> list[str]:
        """Paths below a folder: its folders, its files, then what is in the folders."""
        real = self._real(path)
        if not real.exists():
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
        if real.is_file():
            return [path]
        above, names = path.rstrip("\\/"), _entries(real)
        folders = [f"{above}\\{name}" for name in names if (real / name).is_dir()]
        files = [f"{above}\\{name}" for name in names if not (real / name).is_dir()]
        deeper = [inner for folder in folders for inner in self.children(folder, recurse=True)]
        return folders + files + (deeper if recurse else [])


def _entries(folder: Path) -> list[str]:
    """Names in a folder, in order; links are not there."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted((e.name for e in entries if not e.is_symlink()), key=str.lower)
