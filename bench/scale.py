"""`make bench-scale`: 1, 10 and 100 bakes at once (or `BAKES="1 1000"`), against the bound that
EC2's buckets set.

The bound is what the bucket that is asked most needs to grant all of it, and then one bake alone:
whoever is let in last has all of its own time before it. A row a crowd goes to the file of --json.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import click

from bench.crowd import Crowd, bake_together
from bench.results import merge_row

_COLUMNS = (
    *(("bakes", 6), ("makespan_s", 11), ("bound_s", 8), ("ratio", 6), ("calls_per_bake", 15)),
    *(("describes_per_bake", 19), ("refused", 8), ("failures", 9), ("leaks", 6), ("wall_s", 7)),
)
_TOLD = ("bakes", "makespan_s", "bound_s", "ratio", "calls_per_bake", "failures")


def row_of(crowd: Crowd, alone_s: float) -> dict[str, Any]:
    """What is told of a crowd; `alone_s` is the makespan of one bake alone."""
    bucket_s, bucket = crowd.bucket_s()
    bound_s = max(0.0, bucket_s) + alone_s
    describes = sum(n for name, n in crowd.calls.items() if name.startswith("ec2:Describe"))
    return {
        "bakes": crowd.bakes,
        "makespan_s": round(crowd.makespan_s, 1),
        "bound_s": round(bound_s, 1),
        "ratio": round(crowd.makespan_s / bound_s, 3),
        "calls_per_bake": round(crowd.calls_per_bake, 1),
        "describes_per_bake": round(describes / crowd.bakes, 1),
        "refused": crowd.refused.total(),
        "failures": len(crowd.failures),
        "leaks": len(crowd.leaks),
        "wall_s": round(crowd.wall_s),
        "bucket": bucket if bucket_s > 0 else None,
        "calls": dict(crowd.calls.most_common()),
        "refused_calls": dict(crowd.refused.most_common()),
        "given_up": dict(crowd.given_up),
    }


@click.command()
@click.argument("bakes", nargs=-1, type=click.IntRange(1))
@click.option("--json", "path", type=click.Path(path_type=Path), help="write the rows here")
def main(bakes: tuple[int, ...], path: Path | None) -> None:
    """Bake so many at once, each size in a local AWS of its own. A bake takes a processor for one
    to two seconds."""
    logging.disable(logging.WARNING)
    alone = bake_together(1)
    rows = []
    click.echo("".join(f"{name:>{width}}" for name, width in _COLUMNS))
    for count in bakes or (1, 10, 100):
        crowd = alone if count == 1 else bake_together(count)
        rows.append(row_of(crowd, alone.makespan_s))
        click.echo("".join(f"{rows[-1][name]:>{width}}" for name, width in _COLUMNS))
        for line in crowd.failures[:10]:
            click.echo(line, err=True)
        if path:
            path.write_text(json.dumps(rows, indent=2) + "\n")
            merge_row("scale", told(rows[-1]), "bakes", "make bench-scale")


def told(row: dict[str, Any]) -> dict[str, Any]:
    """As much of a row as stands beside the other measurements."""
    return {name: row[name] for name in _TOLD}


if __name__ == "__main__":
    main()
