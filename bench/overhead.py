"""`make bench-overhead`: how much longer bakes take than AWS itself needs, in real time, with
functions under AWS's Runtime Interface Emulator.

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
from typing import Any

import click

from bench.bakes import LINUX, Baked, bake
from bench.ground import Ground, ground
from bench.results import median, merge, read, spread
from kiln_local.emulated import emulated
from kiln_local.recorder import Recorder
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


def row(bakes: list[Baked], functions: str, over: dict[str, float]) -> dict[str, Any]:
    """What is told of a case."""
    makespan = median([one.makespan_s for one in bakes], 1)
    aws = median([one.aws_s for one in bakes], 1)
    return {
        "makespan_s": makespan,
        "makespan_s_spread": spread([one.makespan_s for one in bakes], 1),
        "aws_s": aws,
        "over_s": median([one.makespan_s - one.aws_s for one in bakes], 2),
        "over_s_spread": spread([one.makespan_s - one.aws_s for one in bakes], 2),
        "ratio": median([one.makespan_s / one.aws_s for one in bakes], 4),
        "over_by_state": over,
        "functions": functions,
        "runs": len(bakes),
    }


def measured(here: Ground, case: str, runs: int, functions: str) -> dict[str, Any]:
    """One case, so often, each time by other draws."""
    bakes = []
    for number in range(runs):
        here.aws.ec2.latencies.reseed(number)
        name = f"{case}-{number}".replace(",", "").replace(" ", "-").lower()
        bakes.append(bake(here, name, CASES[case]))
        click.echo(f"{case}: {bakes[-1].makespan_s:.1f} s, AWS {bakes[-1].aws_s:.1f} s", err=True)
    return row(bakes, functions, over_by_state(bakes[-1], here.aws.recorder))


@click.command()
@click.option("--runs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="not all")
@click.option("--functions", type=click.Choice(["process", "emulator"]), default="emulator")
def main(runs: int, cases: tuple[str, ...], functions: str) -> None:
    """Bake each case so often, each in a local AWS of its own: its functions begin cold. Each is
    written as soon as it is known; others stay as they were."""
    found = read().get("overhead", {})
    for case in cases or CASES:
        with ground() as here, ExitStack() as within:
            if functions == "emulator":
                within.enter_context(emulated(here.aws, here.endpoint))
            else:
                within.enter_context(modelled(here.aws))
            found[case] = measured(here, case, runs, functions)
        merge("overhead", found, "make bench-overhead")


if __name__ == "__main__":
    main()
