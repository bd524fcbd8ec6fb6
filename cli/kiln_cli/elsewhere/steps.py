"""Steps of a blueprint as they are made from those of other tools."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from kiln.domain.model import explain
from kiln.domain.step import Step
from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.names import unique
from kiln_cli.elsewhere.notes import Notes

_LONGEST_NAME = 64
_LAST_LINE = "KILN_END_OF_FILE"


@dataclass
class Steps:
    """A list of steps whose names differ. One that a blueprint would refuse is named and left
    out."""

    windows: bool
    notes: Notes
    made: list[Document] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def add(self, about: str, name: str, action: Document, **more: Any) -> None:
        """A step with its one action; `more` are environment and timeout."""
        plain = " ".join("".join(c for c in name if c.isprintable()).split())
        kept = {key: value for key, value in more.items() if value}
        step = {"name": "step", **action, **kept}
        try:
            Step.model_validate(step)
        except ValidationError as error:
            self.notes.drop(about, next(iter(action)), explain(error, Step))
            return
        step["name"] = unique(plain[:_LONGEST_NAME].strip() or "step", self._taken, _LONGEST_NAME)
        self.made.append(step)

    def script(self, about: str, name: str, text: str, **more: Any) -> None:
        """A script in the language of the platform."""
        self.add(about, name, {"powershell" if self.windows else "shell": text}, **more)


def duration(total: float) -> str:
    """Seconds as a step's timeout: from 5 seconds to 48 hours."""
    return f"{int(min(max(total, 5), 172_800))}s"


def file_script(path: str, content: bytes) -> str:
    """A shell script that writes a file: readable where it is text."""
    place = shlex.quote(path)
    head = f'set -eu\nmkdir -p -- "$(dirname -- {place})"\n'
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    readable = text.endswith("\n") and not re.search(r"[\0\r\ufeff\u0085\u2028\u2029]", text)
    if readable and _LAST_LINE not in text:
        return f"{head}cat >{place} <<'{_LAST_LINE}'\n{text}{_LAST_LINE}\n"
    encoded = base64.encodebytes(content).decode()
    return f"{head}base64 -d >{place} <<'{_LAST_LINE}'\n{encoded}{_LAST_LINE}\n"


def file_powershell(path: str, content: bytes) -> str:
    """A PowerShell script that writes a file."""
    return (
        "$ErrorActionPreference = 'Stop'\n"
        f"$path = {powershell_text(path)}\n"
        "New-Item -ItemType Directory -Force -Path (Split-Path -Parent $path) | Out-Null\n"
        "$content = [Convert]::FromBase64String("
        f"'{base64.b64encode(content).decode()}')\n"
        "[IO.File]::WriteAllBytes($path, $content)\n"
    )


def powershell_text(text: str) -> str:
    """A text that PowerShell reads as itself: typographic quotes end one too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def batch(text: str) -> str:
    """A PowerShell script that runs lines of cmd.exe and ends as they do."""
    return (
        "$file = Join-Path $env:TEMP 'kiln-step.cmd'\n"
        f"$lines = [Convert]::FromBase64String('{base64.b64encode(text.encode()).decode()}')\n"
        "[IO.File]::WriteAllBytes($file, $lines)\n"
        "& cmd.exe /d /c $file\n"
        "$status = $LASTEXITCODE\n"
        "Remove-Item -Force $file\n"
        "exit $status\n"
    )
