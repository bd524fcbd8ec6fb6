"""What Kiln may cost: calls, transitions, events of a history, modules, bytes. Counts and ratios,
which no noise can change much; each bound leaves a tenth or so to what is to come."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.crowd import BLUEPRINT
from kiln.domain.naming import bake_id
from kiln_cli import history
from kiln_cli.history import transitions
from kiln_local.clock import Steady
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT
from tests.integration.local.worlds import until
from tools.check_build import archive_size

pytestmark = pytest.mark.timeout(180)
# One execution has 25,000 events (Step Functions Developer Guide, "Service quotas").
MOST_EVENTS = 25_000
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
# Libraries of the layer that few functions need, and of Lambda's own that none does.
NEEDED_BY = {
    "cyclonedx": {"record_contents"},
    "boto3": set[str](),
    "s3transfer": set[str](),
    "requests": set[str](),
    "jinja2": set[str](),
    "yaml": set[str](),
}


class Spent:
    """What one bake without steps asked of AWS."""

    def __init__(self, aws: LocalAws, document: dict[str, Any]) -> None:
        client: Any = aws.session().client("stepfunctions")
        identity = bake_id("web", aws.clock.now(), "budget")
        began = aws.clock.seconds()
        arn = client.start_execution(
            stateMachineArn=aws.outputs["BakeStateMachineArn"],
            name=identity,
            input=json.dumps({"blueprint": document | {"name": "web"}}),
        )["executionArn"]
        until(lambda: arn not in aws.executions.under_way, seconds=150, pause=0.1)
        self.told = history.describe(client, arn)
        self.events = history.events(client, arn)
        calls = [call for call in aws.recorder.calls if call.at_s >= began]
        self.calls = Counter(call.operation for call in calls)

    def of(self, service: str) -> int:
        """How often a service was called."""
        return sum(n for name, n in self.calls.items() if name.startswith(f"{service}:"))


def baked(document: dict[str, Any], image_s: float | None = None) -> Spent:
    """A bake by a clock that stands still while this machine works, so that it counts alike on any;
    its image takes so long."""
    with LocalAws(ROOT, speed=Steady(3000, working=0.02)) as aws:
        if image_s is not None:
            aws.ec2.latencies.set("image-available", image_s)
        return Spent(aws, document)


@pytest.fixture(scope="module")
def spent() -> Spent:
    found = baked(BLUEPRINT)
    assert found.told.status == "SUCCEEDED", found.told.cause
    return found


def test_a_bake_makes_few_calls(spent: Spent) -> None:
    told = dict(spent.calls.most_common())
    assert spent.calls.total() <= 360, told
    assert spent.of("ec2") <= 42, told
    # What launches, stops, makes and ends is called once for each thing.
    assert (told["ec2:RunInstances"], told["ec2:CreateImage"]) == (2, 1)
    assert told["ec2:StopInstances"] == 1


def test_a_bake_takes_few_transitions(spent: Spent) -> None:
    assert transitions(spent.events) <= 41


def events_of_a_wait(seconds: float) -> int:
    """The events of a bake whose image takes so long."""
    found = baked(BLUEPRINT | {"deadline": "30h"}, seconds)
    assert found.told.status == "SUCCEEDED", found.told.cause
    assert found.told.ended is not None
    assert (found.told.ended - found.told.began).total_seconds() > seconds
    return len(found.events)


def test_an_hour_of_a_wait_leaves_room_for_three_days_of_it(spent: Spent) -> None:
    own = len(spent.events)
    assert own + (events_of_a_wait(3600) - own) * 72 < MOST_EVENTS


# Libraries that every function needs are there already: what is printed is what comes on top.
_LOADED = """
import json, os, sys
import aws_lambda_powertools, botocore.session, pydantic
before = set(sys.modules)
for folder in sys.argv[1:]:
    child = os.fork()
    if not child:
        sys.path.insert(0, folder)
        import app
        print(json.dumps([os.path.basename(folder), sorted(set(sys.modules) - before)]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def modules() -> dict[str, list[str]]:
    """By the function: the modules that it loads in a process with nothing but the layers."""
    folders = [str(ROOT / "functions" / name) for name in FUNCTIONS]
    environment = {"PYTHONPATH": str(ROOT / "layers/kiln"), "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *folders],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert sorted(found) == FUNCTIONS
    return found


def test_no_function_imports_what_it_does_not_need(modules: dict[str, list[str]]) -> None:
    for name, found in modules.items():
        roots = {module.partition(".")[0] for module in found}
        assert {library for library in NEEDED_BY if library in roots} <= {
            library for library, who in NEEDED_BY.items() if name in who
        }, name


def test_what_a_bake_waits_in_loads_nothing_of_layers(modules: dict[str, list[str]]) -> None:
    for name in ("await_resource", "wake"):
        assert not {"kiln.domain.stack", "kiln.domain.blueprint"} & set(modules[name]), name


def test_functions_load_few_modules(modules: dict[str, list[str]]) -> None:
    many = {name: len(found) for name, found in modules.items()}
    assert max(many.values()) <= 150, many
    assert many["wake"] <= 90, many


def files_of(folder: Path) -> dict[str, bytes]:
    """A folder's files as they are packed."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if "__pycache__" not in path.parts
    }


def packed() -> Iterator[tuple[str, int, int]]:
    """What is packed, its bytes and how many it may have."""
    for name in FUNCTIONS:
        yield name, archive_size(files_of(ROOT / "functions" / name)), 400
    yield "kiln layer", archive_size(files_of(ROOT / "layers" / "kiln" / "kiln")), 360_000
    yield "models", archive_size(files_of(ROOT / "layers" / "deps" / "models")), 92_000


@pytest.mark.parametrize(("what", "size", "most"), list(packed()))
def test_archives_stay_small(what: str, size: int, most: int) -> None:
    assert size <= most
