"""`kiln local up`: the local AWS over HTTP, for the aws command and for kiln itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.running import KILN, PATH, ROOT
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Up:
    """A running `kiln local up` and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]


def aws(*args: str) -> Any:
    """What the aws command prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "awscli", *args],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def kiln(*args: object) -> Any:
    """What a kiln command that succeeds prints with --json."""
    ran = run(*args, "--json")
    assert ran.status == 0, ran.stderr
    return ran.json


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
def up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """A local AWS on a free port, which is where this process's clients are sent to."""
    process = start("--port", "0", "--speed", "300", "--apply", "stacks/shop.yaml")
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        monkeypatch.setenv("AWS_ENDPOINT_URL", ready["endpoint"])
        yield Up(process, ready)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_any_client_bakes_an_image_and_kiln_sees_it(up: Up) -> None:
    assert set(up.ready) == {"endpoint", "state_machines", "table", "bus", "bucket"}
    assert set(up.ready["state_machines"]) == {"Bake", "Rollout"}
    everything_is_empty()
    files = ROOT / "stacks/shop.yaml", ROOT / "blueprints/al2023-web.yaml"
    applied = kiln("apply", *files)["applied"]
    assert [row["change"] for row in applied] == ["unchanged", "new"]
    assert [row["change"] for row in kiln("apply", *files)["applied"]] == ["unchanged"] * 2
    baked_by_the_aws_command(up, {"blueprint": "al2023-web"})
    (bake,) = kiln("status")["bakes"]
    assert (bake["status"], bake["error"]) == ("SUCCEEDED", None)
    assert kiln("status", bake["id"])["bake"]["status"] == "SUCCEEDED"
    (image,) = kiln("images", "al2023-web")["images"]
    assert image["bake"] == bake["id"]
    (described,) = aws("ec2", "describe-images", "--owners", "self")["Images"]
    assert (described["ImageId"], described["State"]) == (image["id"], "available")
    baked_by_kiln_itself()
    what_came_with_its_bake_is_listed(up)
    it_ends_quietly_when_it_is_told_to(up)


def layers_are_changed_by_hand() -> None:
    first, second = next(row for row in kiln("layers") if row["layer"] == "web")["instances"]
    assert kiln("layers", "stop", first["ec2_id"])["instances"][0]["state"] == "stopped"
    assert kiln("layers", "start", first["hostname"])["instances"][0]["state"] == "online"
    ran = kiln("layers", "run", second["id"], "deploy")
    assert (ran["status"], ran["commands"][0]["hostname"]) == ("successful", second["hostname"])
    status = kiln("rollout", "status", "shop/web")
    assert status["image"] == second["image"]
    assert "is no image id and no blueprint" in run("rollout", "nothing", "shop/web").error


def what_came_with_its_bake_is_listed(up: Up) -> None:
    document = {
        "kind": "blueprint",
        "name": "inline",
        "platform": "debian-12",
        "base": {"parameter": "/aws/service/debian/release/12/latest/amd64"},
    }
    baked_by_the_aws_command(up, {"blueprint": document})
    assert "inline" in [bake["blueprint"] for bake in kiln("status")["bakes"]]
    (image,) = kiln("images", "inline")["images"]
    assert image["version"] == 0
    assert image in kiln("images")["images"]


def baked_by_the_aws_command(up: Up, given: dict[str, Any]) -> None:
    started = aws(
        *("stepfunctions", "start-execution"),
        *("--state-machine-arn", up.ready["state_machines"]["Bake"]),
        *("--input", json.dumps(given)),
    )
    client = boto3.client("stepfunctions")
    arn = started["executionArn"]
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.2)
    assert found["status"] == "SUCCEEDED", found


def baked_by_kiln_itself() -> None:
    # Nothing has changed since the first one.
    result = kiln("bake", ROOT / "blueprints/al2023-web.yaml", "--force")
    assert result["bake"]["status"] == "SUCCEEDED"
    assert (result["calls"], result["aws_s"], result["leaks"]) == (None, None, [])
    assert all(command["ran"] for command in result["commands"])
    assert {command["document"] for command in result["commands"]} >= {"kiln-clean-linux"}
    assert result["identity"]["builder"].keys() >= {"machine_id"}
    assert result["rollouts"][0]["instances"][0]["state"] == "online"
    layers = {f"{row['stack']}/{row['layer']}": row for row in kiln("layers")}
    assert [i["state"] for i in layers["shop/web"]["instances"]] == ["online", "online"]
    assert kiln("status", result["bake"]["id"]) == result
    the_two_images_are_compared(result["image"]["id"])
    a_bake_and_all_of_them_are_pages(result["bake"]["id"])
    layers_are_changed_by_hand()
    started = run("bake", "al2023-web", "--no-wait", "--force").stdout.strip()
    assert kiln("status", started)["bake"]["status"] == "RUNNING"
    a_bake_is_watched_to_its_end(started)


def a_bake_is_watched_to_its_end(bake: str) -> None:
    watched = subprocess.Popen(
        [*KILN, "watch", bake],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH},
    )
    assert watched.stderr is not None
    assert bake in watched.stderr.readline()
    watched.send_signal(signal.SIGINT)
    _, err = watched.communicate(timeout=30)
    assert (watched.returncode, f"{bake} goes on" in err) == (130, True)
    ran = run("watch", bake, "--json")
    assert (ran.status, ran.json["bakes"]) == (0, {bake: "SUCCEEDED"})
    assert set(ran.json["rollouts"].values()) == {"SUCCEEDED"}
    assert f"{bake}: step 'install nginx' | " in ran.stderr
    assert kiln("watch") == {"bakes": {}, "rollouts": {}}


def the_two_images_are_compared(newest: str) -> None:
    (older, _) = kiln("images", "list", "al2023-web")["images"]
    found = kiln("images", "diff", older["id"], "al2023-web")
    assert (found["before"]["id"], found["after"]["id"]) == (older["id"], newest)
    assert found["before"]["packages"] == older["contents"]["packages"] > 0
    assert (found["added"], found["removed"], found["changed"]) == ([], [], [])
    shown = run("images", "diff", "al2023-web", "al2023-web@1")
    assert (shown.status, shown.stdout) == (0, "")
    assert shown.stderr.splitlines()[-1] == "no package differs"
    unknown = run("images", "diff", newest, "ami-00000000000000000")
    assert (unknown.status, unknown.stdout) == (2, "")
    assert "no image that Kiln made" in unknown.error


def a_bake_and_all_of_them_are_pages(bake: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        assert kiln("report", bake, "--output", path) == {"report": str(path)}
        assert f"<h1>Bake {bake}</h1>" in path.read_text()
    served = subprocess.Popen(
        [*KILN, "dashboard", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH},
    )
    assert served.stdout is not None
    address = json.loads(served.stdout.readline())["address"]
    with urllib.request.urlopen(f"{address}bakes/{bake}", timeout=30) as page:
        assert bake in page.read().decode()
    served.send_signal(signal.SIGINT)
    assert served.wait(timeout=30) == 0


def everything_is_empty() -> None:
    """The lists before the first bake, and what is refused then."""
    assert run("layers").stdout.splitlines()[1].split()[:3] == [
        "shop/web",
        "instances",
        "amazon-linux-2023",
    ]
    assert run("images").stdout.startswith("IMAGE  NAME  BLUEPRINT")
    assert run("status").stdout.split() == ["BAKE", "STATUS", "STATE", "WHY"]
    gone = run("status", "web-20261123-101500-9f3a")
    assert (gone.status, gone.stdout) == (2, "")
    assert "does not exist" in gone.error
    assert "no blueprint of that name is stored" in run("images", "web").error
    for command in ("status", "report"):
        assert "is no bake id" in run(command, "web").error
    assert "does not exist" in run("report", "web-20261123-101500-9f3a").error
    assert "web: is no file, and 'web' is not stored; known: none" in run("bake", "web").error
    assert "Stack with id other does not exist" in run("layers", "--stack-name", "other").error
    plan = run("plan", ROOT / "blueprints/al2023-web.yaml")
    assert "systemctl start nginx" in plan.stdout
    assert kiln("status") == {"bakes": []}


def it_ends_quietly_when_it_is_told_to(up: Up) -> None:
    taken = start("--port", up.ready["endpoint"].rpartition(":")[2])
    out, err = taken.communicate(timeout=30)
    assert (taken.returncode, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "choose another with --port" in err
    up.process.send_signal(signal.SIGINT)
    out, err = up.process.communicate(timeout=30)
    assert (up.process.returncode, out, err) == (0, "", "")


def test_nothing_there_is_one_line_and_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ran = run("status")
    assert (ran.status, ran.stdout) == (3, "")
    assert "did not get through" in ran.error


def test_faults_act_on_functions_and_each_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        "- {service: dynamodb, operation: PutItem, function: plan_bake, error: denied}\n"
        "- {service: ec2, operation: StopInstances, crash: after}\n"
    )
    process = start("--port", "0", "--speed", "300", "--faults", str(path), "--throttle")
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    client = boto3.client("stepfunctions", endpoint_url=ready["endpoint"])
    document = {"kind": "blueprint", "name": "plain", "platform": "debian-12"}
    document |= {"base": {"parameter": "/aws/service/debian/release/12/latest/amd64"}}
    # A client outside writes to the table as it likes.
    table = boto3.client("dynamodb", endpoint_url=ready["endpoint"])
    table.put_item(TableName=ready["table"], Item={"PK": {"S": "x"}, "SK": {"S": "y"}})
    arn = client.start_execution(
        stateMachineArn=ready["state_machines"]["Bake"], input=json.dumps({"blueprint": document})
    )["executionArn"]
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.2)
    assert (found["status"], found["error"]) == ("FAILED", "AwsRefused")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    acted, never = said.splitlines()
    assert acted.startswith("fault at ")
    assert acted.endswith("s: dynamodb/PutItem of plan_bake, nth 1, times 1: error denied")
    assert never == (
        "fault that never acted: ec2/StopInstances, nth 1, times 1: crash after (seen 0 times)"
    )
