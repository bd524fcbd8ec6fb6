"""`make bench-memory`: a Linux bake with all functions at one size of memory, for several sizes:
what it takes beyond AWS's own time, how long its functions run, and what their time costs.

Functions run under the emulator with the share of a processor that their memory buys. Each size is
baked in a process and a local AWS of its own; all draw the same times and wait side by side, one
begun a while after the other, so that what works in one is seldom beside what works in another.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import click

from bench.bakes import LINUX, bake
from bench.cost import prices
from bench.ground import ground
from bench.results import median, merge
from bench.units import gb_ms
from kiln_local.emulated import Invoked, emulated
from kiln_local.shares import shares_root

SIZES = (256, 512, 1024, 1769)
# What sleeps most of its time costs by its memory and gains nothing by it.
WATCHERS = ("wake", "await_resource")
_APART_S = 27.0
_COLUMNS = ("over_s", "warm_ms", "function_s", "usd", "usd_of_watchers")


def once(size: int, later_s: float) -> dict[str, Any]:
    """One bake at one size."""
    time.sleep(later_s)
    with ground() as here:
        here.aws.ec2.latencies.reseed(0)
        for told in here.aws.functions.specifications.values():
            told["MemorySize"] = size
        with emulated(here.aws, here.endpoint, shares_root()) as emulation:
            baked = bake(here, f"memory-{size}", LINUX)
            return row(baked.makespan_s - baked.aws_s, emulation.invoked)


def row(over_s: float, invoked: list[Invoked]) -> dict[str, Any]:
    """What is told of a bake; `warm_ms` are medians by function of those that do not watch."""
    usd_per_gb_ms = prices()["function GB-ms"]
    warm: dict[str, list[float]] = defaultdict(list)
    for one in invoked:
        if not one.cold and one.function not in WATCHERS:
            warm[one.function].append(one.ms)
    watchers = [one for one in invoked if one.function in WATCHERS]
    return {
        "over_s": round(over_s, 2),
        "warm_ms": round(median([median(values, 1) for values in warm.values()], 1)),
        "function_s": round(sum(one.ms for one in invoked) / 1000, 1),
        "usd": float(f"{gb_ms(invoked) * usd_per_gb_ms:.3g}"),
        "usd_of_watchers": float(f"{gb_ms(watchers) * usd_per_gb_ms:.3g}"),
        "warm_ms_by_function": {name: round(median(ms, 1)) for name, ms in sorted(warm.items())},
    }


@click.command()
@click.argument("sizes", nargs=-1, type=click.IntRange(128, 10240))
def main(sizes: tuple[int, ...]) -> None:
    """Bake once at each size, in MB."""
    wanted = sizes or SIZES
    with ProcessPoolExecutor(len(wanted), multiprocessing.get_context("spawn")) as pool:
        later = [number * _APART_S for number in range(len(wanted))]
        rows = dict(zip(map(str, wanted), pool.map(once, wanted, later), strict=True))
    click.echo("".join(f"{name:>16}" for name in ("memory", *_COLUMNS)))
    for size, found in rows.items():
        click.echo("".join(f"{told:>16}" for told in (size, *(found[c] for c in _COLUMNS))))
    merge("memory", rows, "make bench-memory")


if __name__ == "__main__":
    main()
