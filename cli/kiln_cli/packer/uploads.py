"""The `file` provisioner: what it uploads becomes a step that writes it."""

from __future__ import annotations

from pathlib import Path

from kiln_cli.elsewhere.beside import LARGEST_CONTENT, read_beside
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps, file_powershell, file_script

_FETCH = "put it into S3 and let a step fetch it, or use a step `app` (docs/contents.md)"


def upload(settings: Settings, steps: Steps, folder: Path) -> None:
    """Add a step for each file that can be had."""
    if settings.text("direction") == "download":
        settings.drop("direction", "nothing is brought back from a builder; a step may write to S3")
        return
    settings.flag("generated")
    destination = settings.text("destination")
    sources = [*settings.texts("source"), *settings.texts("sources")]
    content = settings.script("content")
    if not destination:
        settings.want("destination", "where the file goes is not known; it is not among the steps")
        return
    if content is not None:
        _write(settings, steps, destination, content.encode())
    for source in sources:
        found = read_beside(source, folder, LARGEST_CONTENT)
        if found.content is None:
            settings.want("source", f"{source[:100]} {found.why}: {_FETCH}")
            continue
        inside = destination.endswith(("/", "\\")) or len(sources) > 1
        name = source.replace("\\", "/").rsplit("/", 1)[-1]
        place = f"{destination.rstrip('/')}/{name}" if inside else destination
        _write(settings, steps, place, found.content)


def _write(settings: Settings, steps: Steps, place: str, content: bytes) -> None:
    if len(content) > LARGEST_CONTENT:
        settings.want("content", f"is larger than {LARGEST_CONTENT} bytes: {_FETCH}")
        return
    if "\n" in place or "\0" in place:
        settings.drop("destination", f"{place[:60]!r} is no plain path")
        return
    write = file_powershell if steps.windows else file_script
    steps.script(settings.about, f"write {place}", write(place, content))
    settings.assume("destination", f"{place[:100]} is written by a step, as root's own")
