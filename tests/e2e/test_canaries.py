"""A value in every field that may hold a secret is looked for wherever it should not be.

What a user writes into a blueprint or a stack file is kept where the file is kept (the table), and
travels to the instance (Run Command's parameters, the bucket for two days). It goes nowhere else,
and what a step says of it Kiln repeats without it. docs/security.md says the same.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln_cli import opening
from kiln_cli.opening import Opened
from kiln_local.machines.packages import cache_home
from kiln_local.memory import memory
from tests.e2e.canaries import Places, canary, holds, read_quietly, sightings
from tests.e2e.running import KILN, PATH, ROOT, bake, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

NAMES = ("environment", "test", "token", "stack", "layer", "large", "deployment")
VALUES = {name: canary(name) for name in NAMES}
# Whoever has the address of what recipes read can read it, too.
SIGNED = {"address": "Signature="}
USES = 'test "${#API_TOKEN}" -gt 10'
TELLS = 'echo "out: $API_TOKEN"; echo "login with $API_TOKEN was refused" >&2; exit 3'
DEPLOY = 'grep -o "canary-deployment[^\\"]*" "$KILN_ATTRIBUTES" >&2 && exit 1; exit 0'
# Kind of place and its name there, of each value: where it is by the design.
MAY_BE = {
    ("environment", "table", "BLUEPRINT#keeps *"),
    ("test", "table", "BLUEPRINT#keeps *"),
    ("token", "table", "BLUEPRINT#tells VERSION#*"),
    # The plan of the bake: the blueprint as it is baked.
    ("token", "table", "BLUEPRINT#tells BAKE#*"),
    # What the agent itself keeps of what the script said, beside what Kiln makes of it.
    ("token", "objects", "bakes/tells-*/awsrunShellScript/script/std???"),
    ("deployment", "objects", "outputs/canary/*/std???"),
    ("deployment", "disks", "instances/*/var/lib/amazon/ssm/*/orchestration/*/std???"),
    ("deployment", "table", "STACK#canary DEPLOYMENT#*"),
    *((name, "table", "STACK#canary STACK") for name in ("stack", "layer", "large")),
    # What recipes read: in the bucket for two days, on the instance while it is there.
    *((name, "objects", "stacks/canary/*") for name in ("stack", "layer", "large", "deployment")),
    *(
        (name, "disks", "instances/*/var/lib/kiln/runs/*.json")
        for name in ("stack", "layer", "large", "deployment")
    ),
    # What Run Command is asked to run, and AWS's own event of it (command-status-change).
    *((name, "commands", "kiln-run-* asked *") for name in (*NAMES, "address")),
    *((name, "events", "aws") for name in (*NAMES, "address")),
}


def a_stack() -> dict[str, Any]:
    """Custom JSON of a stack and of a layer, so much of it that recipes read it from the bucket."""
    noise = random.Random(6)
    deep = {f"key{n}": f"{VALUES['large']}-{noise.getrandbits(600):x}" for n in range(500)}
    layer = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "custom_json": {"web": {"password": VALUES["layer"]}},
        "recipes": {"setup": ['grep -q canary-stack "$KILN_ATTRIBUTES"'], "deploy": [DEPLOY]},
    }
    custom = {"db": {"password": VALUES["stack"]}, "deep": deep}
    return {"kind": "stack", "name": "canary", "custom_json": custom, "layers": [layer]}


def failing(folder: Path) -> Path:
    """A blueprint whose one step tells its secret, and fails."""
    tells = {"name": "tells", "shell": TELLS, "environment": {"API_TOKEN": VALUES["token"]}}
    return write(folder, name="tells", steps=[tells])


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What commands have printed, by the command."""
    return {}


@pytest.fixture(scope="module")
def seen(
    at: Opened, said: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> set[tuple[str, str, str]]:
    """Where each value was seen after a bake with a rollout, one that fails, and a deployment that
    fails."""
    folder, places = tmp_path_factory.mktemp("canaries"), Places(at)
    stack = folder / "stack.yaml"
    stack.write_text(yaml.safe_dump(a_stack()))
    opening.apply_stacks({"local": True, "stacks": [stack]}, None, at.place)
    uses = {"name": "uses", "shell": USES, "environment": {"API_TOKEN": VALUES["environment"]}}
    proof = {"name": "proof", "shell": USES, "environment": {"API_TOKEN": VALUES["test"]}}
    layers = [{"layer": "canary/web", "strategy": "add"}]
    good = write(folder, name="keeps", steps=[uses], verify={"steps": [proof]}, layers=layers)
    result = bake(good, at)
    assert result.succeeded, result
    failed = bake(failing(folder), at)
    assert failed.bake.cause is not None
    assert failed.bake.cause.endswith("login with *** was refused")
    said.update(commands(at, failed.bake.id, failing(folder)))
    return sightings(places.all(), VALUES | SIGNED)


def commands(at: Opened, failed: str, blueprint: Path) -> dict[str, str]:
    """What the commands of a day print, with a deployment that brings a secret of its own."""
    endpoint = at.ledger._aws.serve(0)  # type: ignore[attr-defined]
    changed = blueprint.with_name("changed.yaml")
    changed.write_text(blueprint.read_text().replace(VALUES["token"], VALUES["token"][::-1]))
    custom = f'{{"app": {{"password": "{VALUES["deployment"]}"}}}}'
    asked: list[tuple[str, ...]] = [
        ("layers", "run", "canary/web", "deploy", "--custom-json", custom, "--json"),
        *((*command, *more) for command in GENTLE for more in ((), ("--json",))),
        ("status", failed),
        ("status", failed, "--json"),
        ("plan", str(blueprint), "--json"),
        ("apply", str(changed)),
        ("blueprints", "log", "tells", "--json"),
    ]
    return {" ".join(args[:5]): kiln(endpoint, *args) for args in asked}


GENTLE = (("layers", "list"), ("images", "list"), ("blueprints", "log", "tells"), ("dlq", "list"))


def kiln(endpoint: str, *args: str) -> str:
    """All that a command prints, as a shell runs it."""
    account = {"AWS_ENDPOINT_URL": endpoint, "PYTHONPATH": PATH, "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [*KILN, *args], capture_output=True, text=True, check=False, env=os.environ | account
    )
    assert "a fault of Kiln" not in done.stderr
    return done.stdout + done.stderr


def test_each_value_is_where_it_belongs_and_nowhere_else(seen: set[tuple[str, str, str]]) -> None:
    strange = {
        (name, kind, where)
        for name, kind, where in seen
        if not any(
            (name, kind) == (one, place) and fnmatchcase(where, pattern)
            for one, place, pattern in MAY_BE
        )
    }
    assert strange == set()


def test_each_value_was_on_its_way(seen: set[tuple[str, str, str]]) -> None:
    # A value that is seen nowhere proves nothing.
    travelled = {name for name, kind, _ in seen if kind in ("commands", "objects")}
    assert travelled == set(NAMES) | set(SIGNED)


def test_no_command_prints_a_secret(said: dict[str, str], seen: object) -> None:
    printed = {
        (command, name)
        for command, text in said.items()
        for name, value in VALUES.items()
        if holds(text, value) or holds(text, value[::-1])
    }
    assert printed == set()
    ran = next(text for command, text in said.items() if command.startswith("layers run"))
    assert "***" in ran
    applied = next(text for command, text in said.items() if command.startswith("apply"))
    assert 'API_TOKEN: "***" -> "***"' in applied


def changed(path: Path) -> float:
    """When a file was written; another test's may be gone by now."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def test_a_local_bake_leaves_no_secret_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "project").mkdir()
    blueprint = failing(tmp_path / "project")
    began = time.time()
    done = subprocess.run(
        [*KILN, "bake", str(blueprint), "--local", "--json", "--project", str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(scratch), "PYTHONPATH": PATH},
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert "login with *** was refused" in done.stdout
    rooms = [scratch, cache_home().parent, *Path(memory() or scratch).glob("kiln-local-*")]
    files = [path for one in rooms for path in one.rglob("*") if path.is_file()]
    found = [path for path in files if changed(path) > began]
    assert [path for path in found if holds(read_quietly(path), VALUES["token"])] == []
    assert not holds(done.stdout + done.stderr, VALUES["token"])
