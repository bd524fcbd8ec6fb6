"""Paths on drive C:, plain ones only: what a script writes is never a path of the host."""

from __future__ import annotations

import re

from kiln_local.windows.errors import NotHere, ScriptError

_DRIVE = re.compile(r"([A-Za-z]):\\")
_REFUSED = re.compile(r'[:"<>|\x00-\x1f]')
_WILDCARDS = re.compile(r"[*?]")
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE
)
# Windows PowerShell takes 259 characters of a path, a file system 255 bytes of a name.
_LONGEST, _LONGEST_NAME = 259, 255


def parts(path: str, wildcards: bool = False) -> list[str]:
    """The names of an absolute path below drive C:, `.` and `..` resolved as Windows does, by the
    text alone. Raises ScriptError for what Windows refuses, NotHere for what lies elsewhere."""
    whole = path.replace("/", "\\")
    drive = _DRIVE.match(whole)
    if drive is None:
        raise NotHere(f"the path '{path}': only absolute paths on C: are known")
    if drive[1].lower() != "c":
        raise ScriptError(f"Cannot find drive. A drive with the name '{drive[1]}' does not exist.")
    if len(whole) > _LONGEST:
        raise ScriptError("The specified path, file name, or both are too long.")
    found: list[str] = []
    for part in whole[3:].split("\\"):
        if part == "..":
            del found[-1:]
        elif part not in ("", "."):
            found.append(_name(part, path, wildcards))
    return found


def _name(part: str, path: str, wildcards: bool) -> str:
    """A name without the dots and blanks at its end, which Windows drops."""
    name = part.rstrip(". ")
    refused = not name or _REFUSED.search(name) or _DEVICE.fullmatch(name.strip())
    if refused or (_WILDCARDS.search(name) and not wildcards):
        raise ScriptError(f"The given path's format is not supported: '{path}'.")
    if len(name.encode(errors="replace")) > _LONGEST_NAME:
        raise ScriptError("The specified path, file name, or both are too long.")
    return name


def elsewhere(path: str) -> bool:
    """Whether a path is on a drive that is not there."""
    drive = _DRIVE.match(path.replace("/", "\\"))
    return drive is not None and drive[1].lower() != "c"
