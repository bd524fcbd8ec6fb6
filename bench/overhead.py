"""`make bench-overhead`: how much longer bakes take than AWS itself needs, in real time, with
functions under AWS's Runtime Interface Emulator, each with the share of a processor that its memory
buys where this machine lets itself be divided.

AWS's own time is what the local AWS has written down (`kiln_local.recorder`): for each instance
from its launch until its agent is online, each command from its sending until its document has run,
each stop until `stopped`, each image and each copy until `available`. Those of one bake, laid over
each other so that what goes on at the same time counts once, are the part of its makespan in which
it waited for AWS. The rest is Kiln's: functions with their cold starts, transitions, the delivery
of events, and the time until Kiln has noticed what AWS tells nobody. With `--functions process`
functions run in this process, and Lambda's starts take what the table of latencies says.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench.bakes import LINUX, Baked, bake
from bench.ground import ground
from bench.results import median, merge, read, spread
from kiln_local.emulated import emulated
from kiln_local.recorder import Recorder
from kiln_local.shares import NoShares, shares_root
from kiln_local.starts import modelled

WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
ABROAD = ("us-east-1", "us-west-2", "eu-central-1")
_FIVE = [{"name": f"step {n}", "shell": f"echo {n} > /etc/step-{n}"} for n in range(1, 6)]
CASES: dict[str, dict[str, Any]] = {
    "linux": LINUX,
    "linux, five steps": LINUX | {"steps": _FIVE},
    "windows, sysprep": {
        "kind": "blueprint",
        "platform": "windows-2022",
        "base": {"parameter": WINDOWS},
        "builder": {"instance_types": ["m7i.large"]},
        "windows": {"sysprep": True},
    },
    "linux, four Regions": LINUX
    | {"distribute": {"regions": [{"region": region} for region in ABROAD]}},
}


def over_by_state(found: Baked, recorder: Recorder, most: int = 3) -> dict[str, float]:
    """The states that took most beyond AWS's own time, by name."""
    over: Counter[str] = Counter()
    for name, entered, exited in found.states:
        waited = recorder.busy_s(found.id, entered, exited)
        over[name] += round(1000 * (exited - entered - waited))
    return {name: ms / 1000 for name, ms in over.most_common(most)}


@dataclass(frozen=True)
class Run:
    """One bake: what was over by state, and the invocations that began cold, with their seconds."""

    baked: Baked
    over: dict[str, float]
    cold: int
    cold_s: float

    @property
    def over_s(self) -> float:
        """What the bake took beyond AWS's own time."""
        return self.baked.makespan_s - self.baked.aws_s


def row(runs: list[Run], functions: str) -> dict[str, Any]:
    """What is told of a case."""
    makespans = [run.baked.makespan_s for run in runs]
    middle = sorted(runs, key=lambda run: run.over_s)[len(runs) // 2]
    return {
        "makespan_s": median(makespans, 1),
        "makespan_s_spread": spread(makespans, 1),
        "aws_s": median([run.baked.aws_s for run in runs], 1),
        "over_s": median([run.over_s for run in runs], 2),
        "over_s_spread": spread([run.over_s for run in runs], 2),
        "ratio": median([run.baked.makespan_s / run.baked.aws_s for run in runs], 4),
        "over_by_state": middle.over,
        "cold_starts": middle.cold,
        "cold_starts_s": round(middle.cold_s, 1),
        "functions": functions,
        "runs": len(runs),
    }


def once(case: str, number: int, functions: str) -> Run:
    """One bake in a local AWS of its own, so that all its functions begin cold; by draws of its
    number."""
    name = f"{case}-{number}".replace(",", "").replace(" ", "-").lower()
    with ground() as here, ExitStack() as within:
        here.aws.ec2.latencies.reseed(number)
        if functions == "emulator":
            emulation = within.enter_context(emulated(here.aws, here.endpoint, shares()))
            baked = bake(here, name, CASES[case])
            cold = [one.ms / 1000 for one in emulation.invoked if one.cold]
        else:
            within.enter_context(modelled(here.aws))
            baked = bake(here, name, CASES[case])
            cold = []
        click.echo(f"{case}: {baked.makespan_s:.1f} s, AWS {baked.aws_s:.1f} s", err=True)
        return Run(baked, over_by_state(baked, here.aws.recorder), len(cold), sum(cold))


def shares() -> Path | None:
    """Where control groups are made; None where that is not allowed."""
    try:
        return shares_root()
    except NoShares:
        return None


@click.command()
@click.option("--runs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="not all")
@click.option("--functions", type=click.Choice(["process", "emulator"]), default="emulator")
def main(runs: int, cases: tuple[str, ...], functions: str) -> None:
    """Bake each case so often. Each is written as soon as it is known; others stay, those too that
    another process has written meanwhile."""
    for case in cases or CASES:
        told = "emulator, shares" if functions == "emulator" and shares() else functions
        measured = row([once(case, number, functions) for number in range(runs)], told)
        merge("overhead", read().get("overhead", {}) | {case: measured}, "make bench-overhead")


if __name__ == "__main__":
    main()
