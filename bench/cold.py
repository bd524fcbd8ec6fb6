"""`make bench-cold`: initialisation and first call of each function, beside the floor.

Each is made anew so often, in turn, under AWS's Runtime Interface Emulator with the layers as they
are deployed; the first call is of the event in events/, against a local AWS on loopback. The floor
is an empty handler that makes one boto3 client of EC2 from Lambda's own packages.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench.ground import Ground, ground
from bench.machine import ROOT
from bench.results import median, merge, spread
from kiln_local.emulated import functions_of, told_of_aws
from kiln_local.emulator import Environment, Function, Kit

FLOOR = """import boto3
client = boto3.client("ec2")
def handler(event, context):
    return {}
"""


def floor(here: Ground, folder: Path) -> Function:
    """The empty handler."""
    (folder / "app.py").write_text(FLOOR)
    return Function(
        "floor", folder, "app.handler", 60, 512, told_of_aws(here.aws, here.endpoint, "floor")
    )


class First(NamedTuple):
    """A first call: from the request to its answer, the runtime's peak, the error that it tells."""

    ms: float
    peak_mb: float
    error: str


def first_call(function: Function, kit: Kit, event: Any) -> First:
    """Of a new environment."""
    environment = Environment(function, kit, lambda _: None)
    try:
        began = time.monotonic()
        result, failed = environment.invoke(event)
        ms = (time.monotonic() - began) * 1000
        return First(ms, environment.peak_mb, result["errorType"] if failed else "")
    finally:
        environment.end()


def measured(here: Ground, runs: int, folder: Path) -> dict[str, Any]:
    """All functions and the floor, so often, in turn."""
    kit = Kit.of(ROOT)
    found = functions_of(here.aws, here.endpoint).values()
    functions = {function.folder.name: function for function in found}
    functions["floor"] = floor(here, folder)
    firsts: dict[str, list[First]] = {name: [] for name in functions}
    for number in range(runs):
        for name, function in functions.items():
            event = ROOT / "events" / f"{name}.json"
            asked = json.loads(event.read_text()) if event.exists() else {}
            firsts[name].append(first_call(function, kit, asked))
        click.echo(f"{number + 1} of {runs}: floor {firsts['floor'][-1].ms:.0f} ms", err=True)
    return summary(firsts)


def summary(firsts: dict[str, list[First]]) -> dict[str, Any]:
    """Medians, and what the first calls ended with where that is an error of Kiln's."""
    took = {name: [one.ms for one in calls] for name, calls in sorted(firsts.items())}
    floors = took.pop("floor")
    return {
        "runs": len(floors),
        "floor_ms": round(median(floors, 0)),
        "floor_ms_spread": spread(floors, 0),
        "functions": {name: round(median(values, 0)) for name, values in took.items()},
        "functions_spread": {name: spread(values, 0) for name, values in took.items()},
        "peak_mb": {name: round(max(one.peak_mb for one in firsts[name])) for name in took},
        "answered_with": {name: firsts[name][-1].error for name in took if firsts[name][-1].error},
    }


@click.command()
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True)
def main(runs: int) -> None:
    """Start each function anew so often."""
    with tempfile.TemporaryDirectory() as folder, ground() as here:
        found = measured(here, runs, Path(folder))
    for name, ms in found["functions"].items():
        click.echo(f"{name:24}{ms:8} ms {ms / found['floor_ms']:6.2f} of the floor")
    merge("cold_start", found, "make bench-cold")


if __name__ == "__main__":
    main()
