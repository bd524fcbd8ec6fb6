"""`make bench-local`: how long a user waits on this machine after set-up: for `make bake`,
`make test` and `kiln --help`, and how much of the last is imports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import click

from bench.machine import ROOT, environment, kiln
from bench.results import median, merge, read, spread

_IMPORTS = (
    "import time; began = time.perf_counter(); import kiln_cli.main; "
    "print(time.perf_counter() - began)"
)


def wall_s(command: list[str]) -> float:
    """How long a command takes. ClickException, with the end of what it said, where it fails."""
    began = time.monotonic()
    ran = subprocess.run(
        command, check=False, cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    if ran.returncode:
        raise click.ClickException(f"{command} ended with {ran.returncode}:\n{ran.stdout[-3000:]}")
    return time.monotonic() - began


def import_s() -> float:
    """How long a fresh Python needs to import what the command line imports at once."""
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORTS], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return float(ran.stdout)


def told(name: str, values: list[float]) -> dict[str, Any]:
    """A median with its spread."""
    return {name: median(values), f"{name}_spread": spread(values)}


@click.command()
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="of make bake")
@click.option("--no-test", is_flag=True, help="Leave out `make test` and keep what is known of it.")
def main(runs: int, no_test: bool) -> None:
    """Run each so often; `kiln --help` ten times."""
    wall_s(kiln("--help"))
    found = told("help_s", [wall_s(kiln("--help")) for _ in range(10)])
    found |= told("import_s", [import_s() for _ in range(10)])
    found |= told("bake_s", [wall_s(["make", "bake"]) for _ in range(runs)])
    if no_test:
        known = read().get("local", {})
        found |= {key: known[key] for key in known if key.startswith("test_s")}
    else:
        found |= told("test_s", [wall_s(["make", "test"])])
    found["load_at_the_end"] = round(os.getloadavg()[0], 1)
    for name, value in found.items():
        click.echo(f"{name}: {value}")
    merge("local", found, "make bench-local")


if __name__ == "__main__":
    main()
