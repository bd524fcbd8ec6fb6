"""pip-audit over every file of pins: is a vulnerability known in what Kiln or its tests install?

Exit status: 0 none known, 1 some found, 3 nobody could be asked. Status 3 says nothing about the
packages: hashes alone protect from one that was exchanged, not from one that is bad.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PYTHON = Path(".venv-scan/bin/python")
CLEAN, FOUND, UNASKED = 0, 1, 3


def files_of_pins() -> list[Path]:
    """Every file that pip installs from with --require-hashes."""
    return [*sorted(Path("requirements").glob("*.txt")), Path("layers/deps/requirements.txt")]


def audited(pins: Path) -> tuple[dict[str, Any] | None, str]:
    """pip-audit's answer for a file, None where it has none, and what it said beside.

    `--disable-pip`: names and versions are read from the file, nothing is resolved or installed.
    """
    options = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off")
    command = [str(PYTHON), "-m", "pip_audit", *options, "--timeout", "10", "-r", str(pins)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout), done.stderr
    except ValueError:
        return None, done.stderr


def vulnerabilities(answer: dict[str, Any]) -> Iterator[str]:
    """One line for each that is known."""
    for package in answer["dependencies"]:
        for one in package.get("vulns", ()):
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {one['id']}, mended in {mended}"


def unasked(answer: dict[str, Any]) -> list[str]:
    """One line for each package that was not looked up."""
    packages = answer["dependencies"]
    return [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]


def judged(answer: dict[str, Any] | None, said: str) -> tuple[int, list[str]]:
    """The status of a file, and what to print of it."""
    if answer is None:
        why = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
        return UNASKED, [f"NOT looked up, the database cannot be had from here: {why[:300]}"]
    found, left = list(vulnerabilities(answer)), unasked(answer)
    total = len(answer["dependencies"])
    lines = [
        *found,
        f"{total - len(left)} of {total} packages looked up, {len(found)} vulnerabilities",
    ]
    if left:
        lines.append(f"NOT looked up: {len(left)} packages, such as {left[0]}")
    return FOUND if found else UNASKED if left or not total else CLEAN, lines


def status_of(pins: Path) -> int:
    """Look one file up, and print what comes of it."""
    status, lines = judged(*audited(pins))
    for line in lines:
        print(f"{pins}: {line}")
    return status


def main() -> int:
    """Every file; the worst status, a vulnerability before a file that was not looked up."""
    statuses = {status_of(pins) for pins in files_of_pins()}
    if FOUND not in statuses and UNASKED in statuses:
        print("audit: nothing is known of those packages; hashes hold them to what was tested")
    return next(status for status in (FOUND, UNASKED, CLEAN) if status in statuses)


if __name__ == "__main__":
    sys.exit(main())
