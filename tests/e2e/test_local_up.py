"""`kiln local up`: the local AWS over HTTP, for the aws command and for kiln itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[2]
KILN = (sys.executable, "-c", "from kiln_cli.main import main; main()")
AWS = (sys.executable, "-m", "awscli")
PATH = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True)
class Up:
    """A running `kiln local up` and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """What sends a client there."""
        return os.environ | {"PYTHONPATH": PATH, "AWS_ENDPOINT_URL": self.ready["endpoint"]}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of any client."""
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=ROOT, env=self.environment
        )

    def kiln(self, *args: str) -> Any:
        """What a kiln command that succeeds prints with --json."""
        ran = self.run(*KILN, *args, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


def start(*args: str) -> subprocess.Popen[str]:
    """`kiln local up` with these options."""
    return subprocess.Popen(
        [*KILN, "local", "up", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH},
    )


@pytest.fixture
def up() -> Iterator[Up]:
    """A local AWS on a free port."""
    process = start("--port", "0", "--speed", "300", "--apply", "stacks/shop.yaml")
    try:
        assert process.stdout is not None
        yield Up(process, json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def test_any_client_bakes_an_image_and_kiln_sees_it(up: Up) -> None:
    assert set(up.ready) == {"endpoint", "state_machines", "table", "bus", "bucket"}
    assert set(up.ready["state_machines"]) == {"Bake", "Rollout"}
    applied = up.kiln("apply", "stacks/shop.yaml", "blueprints/al2023-web.yaml")["applied"]
    assert [row["change"] for row in applied] == ["unchanged", "new"]
    again = up.kiln("apply", "stacks/shop.yaml", "blueprints/al2023-web.yaml")["applied"]
    assert [row["change"] for row in again] == ["unchanged", "unchanged"]
    baked_by_the_aws_command(up)
    (bake,) = up.kiln("status")["bakes"]
    assert (bake["status"], bake["error"]) == ("SUCCEEDED", None)
    assert up.kiln("status", bake["id"])["bake"]["status"] == "SUCCEEDED"
    (image,) = up.kiln("images", "al2023-web")["images"]
    assert image["bake"] == bake["id"]
    (described,) = json.loads(up.run(*AWS, "ec2", "describe-images", "--owners", "self").stdout)[
        "Images"
    ]
    assert (described["ImageId"], described["State"]) == (image["id"], "available")
    by_kiln_itself(up)


def baked_by_the_aws_command(up: Up) -> None:
    started = up.run(
        *(*AWS, "stepfunctions", "start-execution"),
        *("--state-machine-arn", up.ready["state_machines"]["Bake"]),
        *("--input", '{"blueprint": "al2023-web"}'),
    )
    assert started.returncode == 0, started.stderr
    client = boto3.client("stepfunctions", endpoint_url=up.ready["endpoint"])
    arn = json.loads(started.stdout)["executionArn"]
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.2)
    assert found["status"] == "SUCCEEDED", found


def by_kiln_itself(up: Up) -> None:
    result = up.kiln("bake", "al2023-web")
    assert result["bake"]["status"] == "SUCCEEDED"
    assert (result["calls"], result["aws_s"], result["leaks"]) == (None, None, [])
    assert all(command["ran"] for command in result["commands"])
    assert {command["document"] for command in result["commands"]} >= {"kiln-clean-linux"}
    assert result["identity"]["builder"].keys() >= {"machine_id"}
    assert result["rollouts"][0]["instances"][0]["state"] == "online"
    layers = {row["layer"]: row for row in up.kiln("layers")["layers"]}
    assert [i["state"] for i in layers["shop/web"]["instances"]] == ["online", "online"]


def test_it_ends_quietly_when_it_is_told_to(up: Up) -> None:
    taken = start("--port", up.ready["endpoint"].rpartition(":")[2])
    out, err = taken.communicate(timeout=30)
    assert (taken.returncode, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "choose another with --port" in err
    up.process.send_signal(signal.SIGINT)
    out, err = up.process.communicate(timeout=30)
    assert (up.process.returncode, out, err) == (0, "", "")


def test_nothing_there_is_one_line_and_status_3() -> None:
    environment = os.environ | {"PYTHONPATH": PATH, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    ran = subprocess.run(
        [*KILN, "status"], capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert len(ran.stderr.splitlines()) == 1
    assert "did not get through" in ran.stderr
