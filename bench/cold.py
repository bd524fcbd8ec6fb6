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
from typing import Any

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


def first_call_ms(function: Function, kit: Kit, event: Any) -> tuple[float, str]:
    """From the request to its answer, and the error that it tells."""
    environment = Environment(function, kit, lambda _: None)
    try:
        began = time.monotonic()
        result, failed = environment.invoke(event)
        return (time.monotonic() - began) * 1000, result["errorType"] if failed else ""
    finally:
        environment.end()


def measured(here: Ground, runs: int, folder: Path) -> dict[str, Any]:
    """All functions and the floor, so often, in turn."""
    kit = Kit.of(ROOT)
    found = functions_of(here.aws, here.endpoint).values()
    functions = {function.folder.name: function for function in found}
    functions["floor"] = floor(here, folder)
    took: dict[str, list[float]] = {name: [] for name in functions}
    errors: dict[str, str] = {}
    for number in range(runs):
        for name, function in functions.items():
            event = ROOT / "events" / f"{name}.json"
            asked = json.loads(event.read_text()) if event.exists() else {}
            ms, error = first_call_ms(function, kit, asked)
            took[name].append(ms)
            if error:
                errors[name] = error
        click.echo(f"{number + 1} of {runs}: floor {took['floor'][-1]:.0f} ms", err=True)
    return summary(took, errors)


def summary(took: dict[str, list[float]], errors: dict[str, str]) -> dict[str, Any]:
    """Medians, and what the first calls ended with where that is an error of Kiln's."""
    floors = took["floor"]
    others = {name: values for name, values in sorted(took.items()) if name != "floor"}
    return {
        "runs": len(floors),
        "floor_ms": round(median(floors, 0)),
        "floor_ms_spread": spread(floors, 0),
        "functions": {name: round(median(values, 0)) for name, values in others.items()},
        "functions_spread": {name: spread(values, 0) for name, values in others.items()},
        "answered_with": dict(sorted(errors.items())),
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
