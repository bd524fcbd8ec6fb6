"""The role that docs/examples/ gives a pipeline may do what its commands do, and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.template import read
from kiln_local.world import LocalAws
from tests.e2e.running import KILN, PATH, ROOT, SPEED

pytestmark = pytest.mark.timeout(120)
# Only where a blueprint has a schedule, or loses it; none of the examples has one.
OF_SCHEDULES = {
    *("scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"),
    "iam:PassRole",
}
# Needs no permission (STS API, GetCallerIdentity).
FREE = {"sts:GetCallerIdentity"}


def allowed() -> set[str]:
    """The actions of the role."""
    role = read(ROOT / "docs/examples/github-actions/role.yaml")["Resources"]["Role"]
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {action for one in statements for action in _listed(one["Action"])}


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def asked() -> Iterator[set[str]]:
    """What the workflow's commands ask of AWS, over HTTP, as another process does."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs, aws.parameters))
        environment = os.environ | {"AWS_ENDPOINT_URL": aws.serve(0), "PYTHONPATH": PATH}
        for words in (
            ("apply", "stacks/shop.yaml", "blueprints/al2023-web.yaml", "-m", "a commit"),
            ("bake", "al2023-web"),
        ):
            ran = subprocess.run(
                [*KILN, *words],
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
                env=environment,
            )
            assert ran.returncode == 0, ran.stderr
        yield {call.operation for call in aws.recorder.outside}


def test_the_role_may_do_what_the_commands_do(asked: set[str]) -> None:
    assert asked - FREE - allowed() == set()


def test_the_role_may_do_nothing_else(asked: set[str]) -> None:
    assert allowed() - asked - OF_SCHEDULES == set()
