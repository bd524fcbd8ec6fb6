"""A bake whose function may not do what it has to ends with AWS's own reason, and leaves
nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiln_cli.local import LocalLedger, _pace
from kiln_cli.opening import Opened
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, bake, write

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """One local AWS for the tests below."""
    with LocalAws(ROOT, speed=300) as aws:
        yield aws


@contextmanager
def denied(aws: LocalAws, step: str, action: str) -> Iterator[None]:
    """One policy more on a function's role, as an administrator may put there."""
    iam, role = aws.session().client("iam"), aws.iam.roles[step].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="taken", PolicyDocument=document)
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="taken")


@pytest.mark.parametrize(
    ("step", "action", "resource"),
    [
        ("launch_builder", "iam:PassRole", ":role/kiln-BuilderRole"),
        ("run_step", "ssm:SendCommand", ":document/kiln-"),
        ("create_image", "ec2:CreateTags", "::image/*"),
    ],
)
def test_a_bake_says_what_its_function_was_refused(
    aws: LocalAws, tmp_path: Path, step: str, action: str, resource: str
) -> None:
    place = make_place(aws.session(), "kiln", aws.outputs)
    file = write(tmp_path, steps=[{"name": "one", "shell": "true"}])
    with denied(aws, step, action):
        done = bake(file, Opened(place, LocalLedger(aws), _pace(aws)))
    assert done.bake.status == "FAILED"
    assert f"is not authorized to perform: {action} on resource: arn:aws:" in done.bake.cause
    assert resource in done.bake.cause
    assert "with an explicit deny in an identity-based policy" in done.bake.cause
    assert done.leaks == ()
