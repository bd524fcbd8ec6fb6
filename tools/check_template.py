"""The template as CloudFormation gets it, after the SAM transform, scanned by checkov: each finding
has a reason in tools/findings.yaml, and every reason a finding.

The transform's output, since it has the roles, rules and permissions that the template's short
forms stand for: checkov makes four times as many checks there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from kiln_local import template

PYTHON = Path(".venv-scan/bin/python")
REASONS = Path("tools/findings.yaml")
SHORTEST_REASON = 40


def scanned(template: dict[str, Any]) -> dict[str, Any]:
    """What tools/scan_template.py says of an expanded template. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(template, indent=1))
        command = [
            str(PYTHON.absolute()),
            str(Path("tools/scan_template.py").absolute()),
            str(file),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=folder)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def problems(scan: dict[str, Any], reasons: list[dict[str, str]]) -> Iterator[str]:
    """One line for each finding without a reason, and for each reason without a finding."""
    if scan["unread"] or not scan["passed"]:
        yield f"checkov could not read the template: {scan['unread']}"
    for one in scan["findings"]:
        if not any(_explains(reason, one) for reason in reasons):
            said = f"{one['resource']}: {one['check']}: {one['name']}"
            yield f"{said}; mend it, or say why not in {REASONS}"
    for reason in reasons:
        named = f"{REASONS}: {reason['check']} on {reason['resources']}"
        if not any(_explains(reason, one) for one in scan["findings"]):
            yield f"{named}: nothing of the kind is found any more; take it out"
        if len(reason["reason"]) < SHORTEST_REASON:
            yield f"{named}: say why in a sentence"


def _explains(reason: dict[str, str], finding: dict[str, str]) -> bool:
    same = reason["check"] == finding["check"]
    return same and fnmatchcase(finding["resource"], reason["resources"])


def main() -> int:
    """Print the problems; 1 if there are any."""
    reasons = yaml.safe_load(REASONS.read_text())
    scan = scanned(template.expand(template.read(Path("template.yaml")), "eu-west-1"))
    found = list(problems(scan, reasons))
    for line in found:
        print(line)
    if not found:
        print(f"scan: {scan['passed']} checks passed, {len(scan['findings'])} findings explained")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
