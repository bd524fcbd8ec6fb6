"""Applications in the image, in one local AWS: baked from git and S3, and deployed again to no
effect."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from kiln.domain.documents import for_step
from kiln.domain.stack import stack_from
from kiln.domain.step import Step
from kiln_cli.opening import Opened
from tests.e2e.running import bake, write

pytestmark = pytest.mark.long

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
state() { find /srv/shop /srv/static /srv/loose /etc/kiln -printf '%p %i %T@ %C@\\n' | sort; }
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
    with tarfile.open(fileobj=made, mode="w") as tar:
        member = tarfile.TarInfo("static.css")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def stored(at: Opened, bucket: str, text: str) -> str:
    """Put an archive into a bucket; its version, empty where the bucket keeps none."""
    s3 = at.place.client("s3")
    told = s3.put_object(Bucket=bucket, Key="apps/static.tar.gz", Body=archive(text))
    return str(told.get("VersionId", ""))


def loose_bucket(at: Opened) -> str:
    """A bucket that keeps no versions."""
    place = {"LocationConstraint": "eu-west-1"}
    at.place.client("s3").create_bucket(Bucket="loose-apps", CreateBucketConfiguration=place)
    return "loose-apps"


def s3(bucket: str, **more: str) -> dict[str, str]:
    """The archive as a source."""
    return {"type": "s3", "url": f"s3://{bucket}/apps/static.tar.gz", **more}


def said(at: Opened, instance: str, step: dict[str, Any]) -> str:
    """What a step prints on an instance where a deploy runs it: by Systems Manager, with no state
    machine."""
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
    return str(found["StandardOutputContent"] or found["StandardErrorContent"])


def test_a_baked_application_is_deployed_again_to_no_effect(at: Opened, tmp_path: Path) -> None:
    kilns, loose = at.place.outputs["BucketName"], loose_bucket(at)
    version = stored(at, kilns, "a { }")
    stored(at, loose, "a { }")
    steps = [
        app("shop", GIT, "/srv/shop"),
        app("static", s3(kilns), "/srv/static"),
        app("loose", s3(loose), "/srv/loose"),
    ]
    making = {"name": "repository", "shell": REPOSITORY}
    tests = [
        {"name": "before", "shell": f"set -- before\n{UNTOUCHED}"},
        *steps,
        {"name": "untouched", "shell": f"set -- after\n{UNTOUCHED}"},
        {
            "name": "there",
            "shell": "grep one /srv/shop/index.html && test -s /srv/loose/static.css",
        },
    ]
    layers = [{"layer": "shop/web", "strategy": "add"}]
    path = write(tmp_path, steps=[making, *steps], verify={"steps": tests}, layers=layers)
    result = bake(path, at)
    assert result.succeeded, result
    placed = [c for c in result.commands if c.document == "kiln-place-app"]
    assert [(c.status, c.ran) for c in placed] == [("Success", True)] * 6
    (rollout,) = result.rollouts
    instance = rollout.instances[0].id
    for step, revision in zip(steps, ("", version, "sha256:"), strict=True):
        assert said(at, instance, step).startswith(f"app: already at {revision}")
    a_newer_object_is_placed(at, instance, (kilns, loose), version)


def a_newer_object_is_placed(
    at: Opened, instance: str, buckets: tuple[str, str], older: str
) -> None:
    kilns, loose = buckets
    newer = stored(at, kilns, "b { }")
    stored(at, loose, "b { }")
    latest = app("static", s3(kilns), "/srv/static")
    assert said(at, instance, latest).startswith(f"app: placed {newer} of s3://")
    assert said(at, instance, app("loose", s3(loose), "/srv/loose")).startswith("app: placed sha")
    pinned = app("static", s3(kilns, version=older), "/srv/static")
    assert said(at, instance, pinned).startswith(f"app: placed {older} of s3://")
    assert said(at, instance, pinned).startswith(f"app: already at {older}")
    address = f"http://127.0.0.1/{kilns}/apps/static.tar.gz"
    digest = hashlib.sha256(archive("b { }")).hexdigest()
    http = app("web", {"type": "http", "url": address, "sha256": digest}, "/srv/web")
    assert said(at, instance, http).startswith(f"app: placed sha256:{digest} of {address}")


def test_a_layers_own_deploy_of_the_baked_revision_touches_nothing(
    at: Opened, tmp_path: Path
) -> None:
    deploy = "test -s /srv/shop/index.html && touch /srv/deployed"
    layer = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "apps": [{"source": GIT, "path": "/srv/shop"}],
        "recipes": {"deploy": [deploy]},
    }
    stack = {"kind": "stack", "name": "apps", "layers": [layer]}
    at.place.world.records.put_stack(stack_from(stack))
    steps = [{"name": "repository", "shell": REPOSITORY}, app("shop", GIT, "/srv/shop")]
    layers = [{"layer": "apps/web", "strategy": "add"}]
    result = bake(write(tmp_path, name="with-app", steps=steps, layers=layers), at)
    assert result.succeeded, result
    (rollout,) = result.rollouts
    instance = rollout.instances[0].id
    ssm = at.place.client("ssm")
    commands = ssm.list_commands(InstanceId=instance)["Commands"]
    ours = [c for c in commands if c["DocumentName"] == "kiln-place-app"]
    assert len(ours) == 1
    said = ssm.get_command_invocation(CommandId=ours[0]["CommandId"], InstanceId=instance)
    assert said["Status"] == "Success"
    assert said["StandardOutputContent"].startswith("app: already at ")
    documents = [c["DocumentName"] for c in reversed(commands)]
    assert documents.index("kiln-place-app") < documents.index("kiln-run-recipes-linux")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (GIT | {"repository": "https://git.example.org/shop"}, "there is no network here"),
        ({"type": "http", "url": "https://example.org/a", "sha256": "0" * 64}, "is not reached"),
        ({"type": "s3", "url": "s3://no-such-bucket/apps/a"}, "NoSuchBucket"),
    ],
    ids=["git", "http", "s3"],
)
def test_what_the_sandbox_cannot_fetch_it_says(
    at: Opened, tmp_path: Path, source: dict[str, str], reason: str
) -> None:
    result = bake(write(tmp_path, steps=[app("shop", source, "/srv/shop")]), at)
    assert result.bake.error == "StepFailed"
    assert reason in (result.bake.cause or "")
    assert result.leaks == ()
