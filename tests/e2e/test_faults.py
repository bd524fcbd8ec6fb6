"""Whole bakes with something going wrong on request: it occurs, and the bake survives it or fails
with a true reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kiln_cli.local import LocalLedger
from kiln_cli.opening import Opened
from kiln_cli.yaml12 import read_yaml
from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, bake, kiln, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
EC2: dict[str, Any] = {"service": "ec2"}
RUN = EC2 | {"operation": "RunInstances"}
CREATE = EC2 | {"operation": "CreateImage"}
SEND: dict[str, Any] = {"service": "ssm", "operation": "SendCommand"}
LAUNCH: dict[str, Any] = {
    "service": "lambda",
    "operation": "Invoke",
    "function": "launch_builder",
    "when": {"state": "LaunchBuilder"},
}
NEWS: dict[str, Any] = {"service": "events", "operation": "EC2 AMI State Change"}
COMMANDS = NEWS | {"operation": "EC2 Command Invocation Status-change Notification"}

SURVIVED: dict[str, list[dict[str, Any]]] = {
    "throttled for a minute": [RUN | {"error": "throttling", "for_s": 60}],
    "crash before a launch": [RUN | {"crash": "before"}],
    "crash after a launch": [RUN | {"crash": "after"}],
    "time-out after a launch": [RUN | {"crash": "after", "by": "time-out"}],
    "answer of a launch lost": [RUN | {"drop": True}],
    "launch doubled": [RUN | {"double": True}],
    "launch slower than the client is patient": [RUN | {"delay_s": 40}],
    "function doubled": [LAUNCH | {"double": True}],
    "function crashed after its work": [LAUNCH | {"crash": "after"}],
    "function slower than its limit": [LAUNCH | {"delay_s": 100}],
    "crash after CreateImage": [CREATE | {"crash": "after"}],
    "crash after SendCommand": [SEND | {"crash": "after", "nth": 2}],
    "table that throttles": [
        {"service": "dynamodb", "operation": "*", "error": "throttling", "for_s": 30, "nth": 5}
    ],
    "every event of commands lost": [COMMANDS | {"drop": True, "times": "always"}],
    "news of the image twice": [NEWS | {"double": True, "delay_s": 5}],
}
FAILED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no capacity": ([RUN | {"error": "capacity", "times": "always"}], "NoCapacity"),
    "table that refuses": (
        [{"service": "dynamodb", "operation": "PutItem", "error": "denied", "times": "always"}],
        "AwsRefused",
    ),
    "builder terminated": (
        [{"act": "terminate-instance", "when": {"state": "Prepare"}}],
        "StepFailed",
    ),
    "clone terminated": (
        [{"act": "terminate-instance", "role": "clone", "when": {"state": "AwaitProof"}}],
        "VerificationFailed",
    ),
    "image failed": (
        [{"act": "fail-image", "delay_s": 5, "when": {"state": "PollImage"}}],
        "ImageFailed",
    ),
}
ENDED: dict[str, tuple[dict[str, Any], str]] = {
    "stopped": ({"act": "stop-execution", "when": {"state": "AwaitBuilder"}}, "ABORTED"),
    "timed out": ({"act": "time-out-execution", "when": {"state": "AwaitBuilder"}}, "TIMED_OUT"),
}


def baked(at: Opened, tmp_path: Path, faults: list[dict[str, Any]]) -> Any:
    """The result of a bake with these faults, each of which has acted."""
    aws = local_aws(at)
    aws.faults.use(faults_from(faults, ROOT))
    try:
        result = bake(write(tmp_path), at, force=True)
    finally:
        aws.faults.use(())
    assert all(fault.fired for fault in result.faults), result.faults
    return result


def local_aws(at: Opened) -> LocalAws:
    """The local AWS that was opened."""
    assert isinstance(at.ledger, LocalLedger)
    return at.ledger._aws


@pytest.mark.parametrize("name", SURVIVED)
def test_a_bake_survives(at: Opened, tmp_path: Path, name: str) -> None:
    result = baked(at, tmp_path, SURVIVED[name])
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    assert result.leaks == ()
    assert len(at.place.world.images.of_bake(result.bake.id)) == 1
    roles = [i.tags["kiln:role"] for i in at.place.world.fleet.of_bake(result.bake.id)]
    assert sorted(set(roles)) == sorted(roles), "a builder or a clone too many"


@pytest.mark.parametrize("name", FAILED)
def test_a_bake_fails_with_its_reason(at: Opened, tmp_path: Path, name: str) -> None:
    faults, error = FAILED[name]
    result = baked(at, tmp_path, faults)
    assert (result.bake.status, result.bake.error) == ("FAILED", error)
    assert (result.image, result.leaks) == (None, ())


@pytest.mark.parametrize("name", ENDED)
def test_an_execution_is_ended_by_somebody_else(at: Opened, tmp_path: Path, name: str) -> None:
    fault, status = ENDED[name]
    result = baked(at, tmp_path, [fault])
    assert (result.bake.status, result.image) == (status, None)
    at.place.world.fleet.terminate([i.id for i in at.place.world.fleet.of_bake(result.bake.id)])


def test_the_command_says_which_faults_have_acted(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    never = SEND | {"nth": 99, "error": "ThrottlingException"}
    path.write_text(json.dumps([RUN | {"crash": "after"}, never]))
    ran = kiln("bake", write(tmp_path), "--local", "--throttle", "--json", "--faults", path)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    crashed, other = result["faults"]
    (fired,) = crashed["fired"]
    assert (fired["function"], fired["state"]) == ("launch_builder", "LaunchBuilder")
    assert fired["execution"] == result["bake"]["id"]
    assert (other["fired"], other["seen"] > 0) == ([], True)
    assert result["throttled"] == {}


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/faults.md").read_text(), re.S)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_of_the_page_acts(at: Opened, tmp_path: Path, text: str) -> None:
    baked(at, tmp_path, read_yaml(text))
