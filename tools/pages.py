"""Files that are made from others: written, or found stale."""

from __future__ import annotations

from pathlib import Path


def keep(target: Path, text: str, module: str, arguments: list[str]) -> int:
    """Write a file, or with --check say whether it is fresh and how to make it so; the status."""
    if "--check" not in arguments:
        target.write_text(text)
        return 0
    fresh = target.is_file() and target.read_text() == text
    if not fresh:
        print(f"{target} is stale: run python -m {module}")
    return 0 if fresh else 1
