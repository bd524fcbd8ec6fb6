"""`make bench-cost`: what Kiln itself costs in a bake, and in a rollout to two new instances,
counted in a local AWS in real time with functions under the emulator, priced by `prices.yaml`.

Not counted: instances, volumes, snapshots, which are the user's; what lies in the table and in logs
by the month; alarms and custom metrics, which cost by the month whether anything is baked or not.
A function's time is that of this machine, on a whole processor, which is what 1,769 MB buy (Lambda
Developer Guide, "Configure Lambda function memory"); those that have less take longer on Lambda.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from bench.bakes import LINUX, bake
from bench.ground import Ground, ground
from bench.machine import ROOT, kiln
from bench.results import merge
from bench.units import counted
from kiln_local.emulated import emulated

PRICES = Path(__file__).with_name("prices.yaml")
# Of a unit as it is counted: its price, and how many of it one of the price's are.
UNITS = {
    "transitions": ("transition", 1),
    "invocations": ("invocation", 1),
    "function GB-ms": ("gb_second", 1000),
    "write units": ("write_unit", 1),
    "read units": ("read_unit", 1),
    "log bytes": ("log_gb", 1e9),
    "traces": ("trace", 1),
    "events": ("event", 1),
    "objects written": ("object_put", 1),
    "objects read": ("object_get", 1),
}
STACK: dict[str, Any] = {
    "kind": "stack",
    "name": "bench",
    "layers": [
        {
            "name": "web",
            "kind": "instances",
            "platform": "debian-12",
            "instance_type": "m7i.large",
            "count": 2,
            "recipes": {event: ["true"] for event in ("setup", "configure", "deploy", "shutdown")},
        }
    ],
}
_QUIET_S = 20.0


def prices() -> dict[str, float]:
    """US dollars of one unit as it is counted."""
    rows = yaml.safe_load(PRICES.read_text())
    return {
        unit: float(rows[name]["usd"]) / float(rows[name]["each"]) / many
        for unit, (name, many) in UNITS.items()
    }


def bill(bake_units: Mapping[str, int], rollout_units: Mapping[str, int]) -> dict[str, Any]:
    """Sums, and the units that they are made of."""
    known = prices()

    def usd(units: Mapping[str, int]) -> float:
        return round(sum(units.get(unit, 0) * price for unit, price in known.items()), 6)

    rows = {
        unit: {
            "usd": float(f"{price:.6g}"),
            "bake": bake_units.get(unit, 0),
            "rollout": rollout_units.get(unit, 0),
        }
        for unit, price in known.items()
    }
    return {"bake": usd(bake_units), "rollout": usd(rollout_units), "units": rows}


def quiet(here: Ground) -> None:
    """Wait until nothing runs any more, and has not for a while."""
    since = time.monotonic()
    while time.monotonic() - since < _QUIET_S:
        if here.aws.executions.under_way:
            since = time.monotonic()
        time.sleep(0.5)


def command(here: Ground, *args: str) -> None:
    """A kiln command; CalledProcessError where it fails."""
    subprocess.run(kiln(*args), check=True, env=here.environ("kiln"), cwd=ROOT)


def _traced(units: Counter[str]) -> dict[str, int]:
    return dict(units) | {"traces": units["invocations"]}


@click.command()
def main() -> None:
    """Bake one image, bring it to a layer of two instances, and count."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ground() as here,
        emulated(here.aws, here.endpoint) as emulation,
    ):
        stack = Path(folder, "bench.json")
        stack.write_text(json.dumps(STACK))
        command(here, "apply", str(stack))
        with counted(here, emulation) as of_bake:
            made = bake(here, "cost", LINUX)
            quiet(here)
        with counted(here, emulation) as of_rollout:
            command(here, "rollout", "start", str(made.output["image"]), "bench/web")
            quiet(here)
    found = bill(_traced(of_bake), _traced(of_rollout))
    click.echo(json.dumps(found, indent=2))
    merge("cost_usd", found, "make bench-cost")


if __name__ == "__main__":
    main()
