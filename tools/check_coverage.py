"""Branch coverage of the package: pytest's own threshold counts lines too, which flatters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPORT = Path("coverage.json")


def main(least: float) -> int:
    """Read what the last test run measured; fail where too few branches were taken."""
    subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", REPORT], check=True)
    totals = json.loads(REPORT.read_text())["totals"]
    taken, there = totals["covered_branches"], totals["num_branches"]
    if not there:
        print("coverage: no branch was measured", file=sys.stderr)
        return 1
    percent = 100 * taken / there
    print(f"coverage: {taken} of {there} branches taken, {percent:.1f} % (at least {least:g} %)")
    return int(percent < least)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
