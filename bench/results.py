"""`bench/results.json` and `bench/results.md`: what the rooms of this folder have measured.

A room puts its own part in and leaves the others as they are; `measured` tells of each part when,
on what and by which command. The page is written from the file, and holds nothing else.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from bench.machine import ROOT, described
from bench.page import page

PATH = ROOT / "bench" / "results.json"


def merge(part: str, found: Any, command: str, path: Path = PATH) -> None:
    """Put one part in and write the page anew."""
    results = read(path)
    results[part] = found
    results.setdefault("measured", {})[part] = described(command)
    path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(page(results))


def merge_row(part: str, row: dict[str, Any], key: str, command: str, path: Path = PATH) -> None:
    """Put one row of a part in, by what its key says; the other rows stay."""
    others = [one for one in read(path).get(part, []) if one[key] != row[key]]
    merge(part, sorted([*others, row], key=lambda one: int(one[key])), command, path)


def read(path: Path = PATH) -> dict[str, Any]:
    """All parts that have been measured so far."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def median(values: list[float], digits: int = 3) -> float:
    """The middle of several measurements."""
    return round(statistics.median(values), digits)


def spread(values: list[float], digits: int = 3) -> list[float]:
    """The least and the greatest."""
    return [round(min(values), digits), round(max(values), digits)]
