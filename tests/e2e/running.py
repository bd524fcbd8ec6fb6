"""How the end-to-end tests bake: as a shell would, or in one local AWS of their process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from moto.iam.models import iam_backends

from kiln_cli import baking
from kiln_cli.opening import Opened
from kiln_cli.result import BakeResult
from kiln_local.world import LocalAws

ROOT = Path(__file__).parents[2]
AMAZON = "/aws/service/ami-amazon-linux-latest"
PATH = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
KILN = (sys.executable, "-c", "from kiln_cli.main import main; main()")
SPEED = 300.0


def kiln(*args: object) -> subprocess.CompletedProcess[str]:
    """The command as a shell runs it, in an environment that names an account it must not use."""
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
    elsewhere = {
        "PYTHONPATH": path,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_PROFILE": "gone",
    }
    return subprocess.run(
        [*KILN, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | elsewhere,
    )


def write(folder: Path, **changes: Any) -> Path:
    """A small blueprint file with some of its keys changed."""
    document = {
        "kind": "blueprint",
        "name": "small",
        "platform": "amazon-linux-2023",
        "base": {"parameter": f"{AMAZON}/al2023-ami-kernel-default-x86_64"},
        "builder": {"instance_types": ["m7i.large"]},
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(document | changes))
    return path


def bake(path: Path, at: Opened, force: bool = False) -> BakeResult:
    """Bake a file to its end; with `force` also where nothing has changed."""
    wanted = baking.wanted_from(str(path), path, at.place)
    plan = baking.check(wanted, at.place)
    baking.start(wanted, plan, at.place, force)
    return baking.finish(plan, at.place, at.ledger, at.pace)


def befriend(aws: LocalAws, account: str, role: str) -> None:
    """Another account gives the role that docs/distribution.md describes."""
    names = ("DistributionPrincipal", "PromotionPrincipal")
    principal = {"AWS": [aws.outputs[name] for name in names]}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    theirs = iam_backends[account]["aws"]
    theirs.create_role(role, json.dumps({"Statement": [trust]}), "/", "", "", [], "3600")
    actions = ["ec2:DescribeImages", "ec2:CreateTags", "ssm:GetParameter", "ssm:PutParameter"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    theirs.put_role_policy(role, "TagAndPoint", json.dumps(policy))
