"""`make bench-peer`: Debian's packer and Kiln make an image of the same base in the same local AWS
in real time; then both commands are killed in the middle.

Packer has its defaults, and `communicator: none`: it launches, stops, makes the image, tidies up.
Kiln does what each bake does: it also cleans the builder, and boots a clone of the image to prove
it. A call is a request that AWS answers: by HTTP from the user's machine, or from a function or a
state machine, which are counted apart.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from bench.ground import Ground, ground
from bench.machine import kiln
from bench.processes import Watched
from bench.results import median, merge, spread
from kiln_local.recorder import Call

BASE = "/aws/service/debian/release/12/latest/amd64"
TYPE = "m7i.large"
# When both wait for EC2 to make the image available.
KILL_AFTER_S = 120.0


class Trial:
    """One local AWS, and a folder for the files of those who use it."""

    def __init__(self, here: Ground, folder: Path) -> None:
        self.aws = here.aws
        self._here = here
        self._folder = folder
        self._ec2: Any = here.aws.session().client("ec2")
        self._base = here.aws.session().client("ssm").get_parameter(Name=BASE)["Parameter"]

    def start(self, who: str, name: str) -> Watched:
        """`packer` or `kiln`, on an image of that name."""
        given = self._here.environ(who) | {"CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
        file = self._folder / f"{name}.json"
        document = self._template(name) if who == "packer" else _blueprint(name)
        file.write_text(json.dumps(document))
        command = ["packer", "build", str(file)] if who == "packer" else kiln("bake", str(file))
        return Watched(command, given, self._folder)

    def _template(self, name: str) -> dict[str, Any]:
        builder = {
            "type": "amazon-ebs",
            "region": "eu-west-1",
            "custom_endpoint_ec2": self._here.endpoint,
            "skip_metadata_api_check": True,
            "skip_region_validation": True,
            "source_ami": self._base["Value"],
            "instance_type": TYPE,
            "communicator": "none",
            "ami_name": name,
        }
        return {"builders": [builder]}

    def settle(self) -> None:
        """Wait until everything that goes on in AWS has ended, and what was launched with it."""
        while self.aws.executions.under_way or self._between():
            time.sleep(1)

    def _between(self) -> bool:
        """Whether anything is in a state that EC2 takes it out of."""
        instances = self.aws.ec2.backend.all_instances()
        states = {instance._state.name for instance in instances}  # noqa: SLF001 - moto's own
        images = {image.state for image in self.aws.ec2.backend.amis.values()}
        return bool(states & {"pending", "stopping", "shutting-down"} or "pending" in images)

    def there(self) -> dict[str, set[str]]:
        """All that costs money or stands open in EC2, by kind."""
        ec2 = self._ec2
        states = ["pending", "running", "stopping", "stopped", "shutting-down"]
        alive = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": states}])
        return {
            "instance": {i["InstanceId"] for r in alive["Reservations"] for i in r["Instances"]},
            "volume": {v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]},
            "key pair": {k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]},
            "security group": {
                g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]
            },
            "image": {i["ImageId"] for i in ec2.describe_images(Owners=["self"])["Images"]},
            "snapshot": {
                s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            },
        }


def _blueprint(name: str) -> dict[str, Any]:
    return {
        "kind": "blueprint",
        "name": name,
        "platform": "debian-12",
        "base": {"parameter": BASE},
        "builder": {"instance_types": [TYPE]},
    }


def counted(calls: list[Call], outside: list[Call], who: str) -> dict[str, Any]:
    """The calls of one run: `outside` of the user's machine, `calls` of functions and machines."""
    mine = [call for call in outside if call.caller == who]
    there = calls if who == "kiln" else []
    found = Counter(call.operation for call in [*mine, *there])
    return {
        "calls": found.total(),
        "calls_from_the_users_machine": len(mine),
        "calls_of_ec2": sum(n for name, n in found.items() if name.startswith("ec2:")),
        "by_operation": dict(sorted(found.items())),
    }


def baked(trial: Trial, who: str, number: int) -> dict[str, Any]:
    """One whole run."""
    # Both meet the same waits: the first launch of each takes as long, and so on.
    trial.aws.ec2.latencies.reseed(number)
    recorder, clock = trial.aws.recorder, trial.aws.clock
    before = len(recorder.calls), len(recorder.outside), len(recorder.intervals)
    began = clock.seconds()
    ran = trial.start(who, f"{who}-{number}").end()
    if ran.status:
        raise click.ClickException(f"{who} ended with {ran.status}:\n{ran.output}")
    trial.settle()
    images = [i for i in recorder.intervals[before[2] :] if i.what == "image" and i.end_s]
    found = counted(recorder.calls[before[0] :], recorder.outside[before[1] :], who)
    return found | {
        "wall_s": round(ran.wall_s, 1),
        "image_available_s": round(max(i.end_s or 0.0 for i in images) - began, 1),
        "peak_mb": round(ran.peak_mb, 1),
    }


def left(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, int]:
    """How many of what are there now that were not there before."""
    found = {kind: len(names - before.get(kind, set())) for kind, names in after.items()}
    return {kind: count for kind, count in found.items() if count}


def killed(trial: Trial, who: str) -> dict[str, Any]:
    """What is left where a command is killed in the middle. A bake of Kiln's goes on without its
    command, and its image and that image's snapshot are no remains."""
    before = trial.there()
    running = trial.start(who, f"{who}-killed")
    time.sleep(KILL_AFTER_S)
    ended = running.kill()
    if ended.status != -9:
        raise click.ClickException(f"{who} had ended before it was killed:\n{ended.output}")
    # An execution that has just begun launches in a moment.
    time.sleep(2)
    trial.settle()
    found = left(before, trial.there())
    made = who == "kiln" and found.pop("image", 0) == 1 and found.pop("snapshot", 0) == 1
    return {"left_after_kill": found, "image_made_after_kill": made}


def together(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of several runs, and the calls of the last."""
    walls = [run["wall_s"] for run in runs]
    return runs[-1] | {
        "runs": len(runs),
        "wall_s": median(walls, 1),
        "wall_s_spread": spread(walls, 1),
        "image_available_s": median([run["image_available_s"] for run in runs], 1),
        "peak_mb": median([run["peak_mb"] for run in runs], 1),
        "calls": int(median([run["calls"] for run in runs], 0)),
    }


@click.command()
@click.option("--runs", type=click.IntRange(1), default=1, show_default=True)
def main(runs: int) -> None:
    """Bake with both so often, alternating, and kill each once. A run takes four minutes each, and
    as long again to kill."""
    if not shutil.which("packer"):
        click.echo("packer is not here: apt-get install packer", err=True)
        sys.exit(1)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, ground() as here:
        trial = Trial(here, Path(folder))
        each: dict[str, list[dict[str, Any]]] = {"packer": [], "kiln": []}
        for number in range(runs):
            for who, rows in each.items():
                rows.append(baked(trial, who, number))
                click.echo(f"{who}: {json.dumps(rows[-1])}")
        for who, rows in each.items():
            found[who] = together(rows) | killed(trial, who)
            click.echo(f"{who} killed: {found[who]['left_after_kill']}")
    merge("peer", found, "make bench-peer")


if __name__ == "__main__":
    main()
