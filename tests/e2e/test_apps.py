"""Applications in the image, in one local AWS: baked from git and S3, and deployed again to no
effect."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from kiln.domain.documents import for_step
from kiln.domain.step import Step
from kiln_cli.opening import Opened
from tests.e2e.running import bake, write

REPOSITORY = """
set -eu
mkdir -p /srv/git/shop; cd /srv/git/shop
git init -q --template=; git config user.name a; git config user.email a@example.org
echo one >index.html; git add -A; git commit -q -m one; git tag v1
"""
GIT = {"type": "git", "repository": "file:///srv/git/shop", "revision": "v1"}
# Fails where the second run of the step has touched a file, its times or its folder.
UNTOUCHED = """
set -eu
state() { find /srv/shop /srv/static /etc/kiln -printf '%p %i %T@ %C@\\n' | sort; }
case $1 in
    before) state >/root/before ;;
    after) state | diff /root/before - ;;
esac
"""


def app(name: str, source: dict[str, str], path: str) -> dict[str, Any]:
    """An app step."""
    return {"name": name, "app": {"source": source, "path": path}}


def archive(text: str) -> bytes:
    """A tar archive of one file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        member = tarfile.TarInfo("static.css")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def stored(at: Opened, text: str, key: str = "apps/static.tar.gz") -> str:
    """Put an archive into Kiln's bucket; its version."""
    bucket = at.place.outputs["BucketName"]
    body = archive(text)
    version: str = at.place.client("s3").put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    return version


def s3(at: Opened, **more: str) -> dict[str, str]:
    """The archive as a source."""
    return {
        "type": "s3",
        "url": f"s3://{at.place.outputs['BucketName']}/apps/static.tar.gz",
        **more,
    }


def sent(at: Opened, instance: str, step: dict[str, Any]) -> dict[str, Any]:
    """Run a step on an instance as a deploy would: by Systems Manager, with no state machine."""
    call = for_step(Step.model_validate(step))
    ssm = at.place.client("ssm")
    command = ssm.send_command(
        DocumentName=f"kiln-{call.name}", InstanceIds=[instance], Parameters=call.parameters
    )["Command"]["CommandId"]
    at.pace.sleep(1)
    found: dict[str, Any] = {"Status": "Pending"}
    while found["Status"] in ("Pending", "InProgress"):
        at.pace.sleep(1)
        listed = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
        if listed:
            found = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
    return found


def test_a_baked_application_is_deployed_again_to_no_effect(at: Opened, tmp_path: Path) -> None:
    version = stored(at, "a { }")
    steps = [app("shop", GIT, "/srv/shop"), app("static", s3(at), "/srv/static")]
    tests = [
        {"name": "before", "shell": f"set -- before\n{UNTOUCHED}"},
        *steps,
        {"name": "untouched", "shell": f"set -- after\n{UNTOUCHED}"},
        {
            "name": "there",
            "shell": "grep one /srv/shop/index.html && test -s /srv/static/static.css",
        },
    ]
    making = {"name": "repository", "shell": REPOSITORY}
    layers = [{"layer": "shop/web", "strategy": "add"}]
    path = write(tmp_path, steps=[making, *steps], verify={"steps": tests}, layers=layers)
    result = bake(path, at)
    assert result.succeeded, result
    placed = [c for c in result.commands if c.document == "kiln-place-app"]
    assert [(c.status, c.ran) for c in placed] == [("Success", True)] * 4
    (rollout,) = result.rollouts
    instance = rollout.instances[0].id
    for step, revision in ((steps[0], ""), (steps[1], version)):
        found = sent(at, instance, step)
        assert found["StandardOutputContent"].startswith(f"app: already at {revision}"), found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (GIT | {"repository": "https://git.example.org/shop"}, "there is no network here"),
        ({"type": "http", "url": "https://example.org/a", "sha256": "0" * 64}, "is not reached"),
        ({"type": "s3", "url": "s3://no-such-bucket/apps/a"}, "NoSuchBucket"),
    ],
    ids=["git", "http", "s3"],
)
def test_what_the_sandbox_cannot_fetch_it_says(
    at: Opened, tmp_path: Path, source: dict[str, str], said: str
) -> None:
    result = bake(write(tmp_path, steps=[app("shop", source, "/srv/shop")]), at)
    assert result.bake.error == "StepFailed"
    assert said in (result.bake.cause or "")
    assert result.leaks == ()
