"""The report of a bake as one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from kiln.errors import InvalidRequest
from kiln_cli.pages.rendering import FILE_POLICY, render
from kiln_cli.pages.telling import Report

_SECTIONS = (
    ("facts", "In short", "result"),
    ("time", "Time", "visits"),
    ("machine", "State machine", "drawing"),
    ("output", "Output", "documents"),
    ("removed", "Removed", "removed"),
    ("identity", "Identity", "identity"),
    ("packages", "Packages", "packages"),
    ("lineage", "Lineage", "lineage"),
    ("rollouts", "Rollouts", "rollouts"),
    ("cost", "Cost", "costs"),
)


def page(report: Report, policy: str = FILE_POLICY, home: str = "") -> str:
    """The report as HTML; `home` is where the dashboard is, where there is one."""
    return render(
        "report.html.j2",
        report=report,
        policy=policy,
        home=home,
        sections=[(name, title) for name, title, key in _SECTIONS if _has(report, key)],
        owners={part.of for part in report.result.time},
        span_s=report.elapsed_s or 1.0,
    )


def _has(report: Report, key: str) -> bool:
    return bool(getattr(report, key, None) or getattr(report.result, key, None))


def write(report: Report, path: Path) -> None:
    """Write the page to a file. InvalidRequest where that cannot be done."""
    try:
        path.write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{path}: cannot be written: {error.strerror}") from error
