"""The example at the end of every command's help, run as it stands.

They are run in an order in which each finds what it is about: a copy of the examples' project, a
deployment with two images of the blueprint, instances in the layer. An id that nobody can know
beforehand is put in, and any free port; nothing else of an example is changed. What needs a local
AWS of its own runs as a process, as a shell would run it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests import foreign
from tests.e2e.running import KILN, PATH, ROOT
from tests.integration.local.worlds import until
from tests.kiln_command import Ran, run
from tests.unit.cli.test_main import ALL

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SPEED = 1000
OPSWORKS = {
    "stacks.json": {"Stacks": [{"StackId": "s1", "Name": "old"}]},
    "layers.json": {
        "Layers": [{"LayerId": "l1", "StackId": "s1", "Name": "web", "Shortname": "web"}]
    },
    "instances.json": {
        "Instances": [
            {
                "InstanceId": "i1",
                "StackId": "s1",
                "LayerIds": ["l1"],
                "Hostname": "web1",
                "Os": "Amazon Linux 2",
                "InstanceType": "m5.large",
            }
        ]
    },
}
A_USER = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
EXAMPLES = {
    words: (command.epilog or "").removeprefix("Example: kiln ") for words, command in ALL.items()
}


@dataclass
class Bench:
    """A deployment, a project, and the examples that have been run."""

    aws: LocalAws
    folder: Path
    # Somebody else may have that port.
    ids: dict[str, str] = field(
        default_factory=lambda: {"--port 4566": "--port 0", "--port 8080": "--port 0"}
    )
    done: set[str] = field(default_factory=set)

    def example(self, *words: str) -> Ran:
        """Run a command's example; it must end well."""
        told = EXAMPLES[words]
        self.done.add(told)
        return self.kiln(*self._filled(told))

    def kiln(self, *words: object) -> Ran:
        """Run something; it must end well."""
        ran = run(*words)
        assert ran.status == 0, (words, ran)
        return ran

    def apart(self, *words: str) -> None:
        """Run a command's example in a process of its own."""
        told = EXAMPLES[words]
        self.done.add(told)
        with self.process(told) as process:
            out, err = process.communicate()
        assert process.returncode == 0, (told, out, err)

    def until_interrupted(self, *words: str, **environment: str) -> None:
        """Run the example of what serves until it is interrupted."""
        told = EXAMPLES[words]
        self.done.add(told)
        with self.process(told, **environment) as process:
            assert process.stdout
            assert "http://127.0.0.1:" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, told

    def process(self, told: str, **more: str) -> subprocess.Popen[str]:
        """The example as a shell runs it, for which there is no account but what is named."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return subprocess.Popen(
            [*KILN, *self._filled(told)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=environment | {"PYTHONPATH": PATH} | more,
        )

    def _filled(self, told: str) -> list[str]:
        """The words, ids put in, patterns of files as the shell does it."""
        for known, found in self.ids.items():
            told = told.replace(known, found)
        words = shlex.split(told)
        globbed = [sorted(map(str, Path().glob(w))) if "*" in w else [w] for w in words]
        return [word for part in globbed for word in part]


def a_project(folder: Path) -> None:
    """The project of the examples, and what else they name."""
    for part in ("blueprints", "stacks", "schemas"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "revision.json").write_text('{"revision": "v7"}')
    for name, content in OPSWORKS.items():
        (folder / name).write_text(json.dumps(content))


def change(path: str, **changes: Any) -> None:
    """Give a file's document other values of some keys; of a stack, those of its first layer."""
    document = yaml.safe_load(Path(path).read_text())
    (document["layers"][0] if document["kind"] == "stack" else document).update(changes)
    Path(path).write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("project")
    a_project(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with LocalAws(ROOT, speed=SPEED) as aws:
            local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs, aws.parameters))
            yield Bench(aws, folder)
    finally:
        os.chdir(before)


def test_every_example_runs(bench: Bench) -> None:
    for part in (files, of_its_own, first_image, images, instances, rollouts, upkeep):
        part(bench)
    left = {words: told for words, told in EXAMPLES.items() if told not in bench.done}
    assert left == {}, "an example that no test runs: add it here"


def files(bench: Bench) -> None:
    bench.example("validate")
    bench.example("new")
    shutil.rmtree(bench.folder / "schemas")
    (bench.folder / "blueprints/web.yaml").unlink()
    bench.example("new", "blueprint")
    (bench.folder / "stacks/shop.yaml").rename(bench.folder / "kept.yaml")
    bench.example("new", "stack")
    (bench.folder / "kept.yaml").rename(bench.folder / "stacks/shop.yaml")
    foreign.write(bench.folder, "web.pkr.hcl", foreign.PACKER_HCL)
    foreign.image_builder(bench.folder)
    (bench.folder / "blueprints/web.yaml").unlink()
    bench.example("import")
    bench.example("import", "opsworks")
    (bench.folder / "blueprints/web.yaml").unlink()
    bench.example("import", "packer")
    bench.example("import", "image-builder")
    bench.example("completion")


def of_its_own(bench: Bench) -> None:
    bench.apart("plan")
    bench.apart("bake")
    bench.apart("doctor")
    bench.until_interrupted("local")
    bench.until_interrupted("local", "up")


def first_image(bench: Bench) -> None:
    bench.example("apply")
    # What takes time, and no example is about.
    change("blueprints/al2023-web.yaml", layers=[], steps=[], verify={}, release_lock="none")
    change("blueprints/al2023-web.yaml", distribute={"regions": [{"region": "us-east-1"}]})
    change("stacks/shop.yaml", count=0, recipes={"deploy": ["echo deploy"]})
    document = yaml.safe_load(Path("stacks/shop.yaml").read_text())
    web = document["layers"][0]
    document["layers"].append(web | {"name": "cache", "recipes": {}})
    Path("stacks/shop.yaml").write_text(yaml.safe_dump(document))
    bench.kiln("apply", "stacks/shop.yaml", "blueprints/al2023-web.yaml")
    made = bench.kiln("bake", "al2023-web", "--json").json
    bench.ids["web-20261123-101500-9f3a"] = made["bake"]["id"]
    bench.ids["ami-0123456789abcdef0"] = made["image"]["id"]
    for words in ("status", "watch", "report"):
        bench.example(words)
    bench.until_interrupted("dashboard", AWS_ENDPOINT_URL=bench.aws.serve(0), **A_USER)
    for words in ((), ("list",), ("show",), ("log",), ("pause",), ("resume",)):
        bench.example("blueprints", *words)


def images(bench: Bench) -> None:
    for words in ((), ("list",), ("show",), ("diff",)):
        bench.example("images", *words)
    bench.example("promote")
    bench.example("distribute")
    bench.example("prune")


def instances(bench: Bench) -> None:
    bench.example("rollout")
    bench.example("layers", "add")
    for words in ((), ("list",), ("run",), ("recipes",), ("deployments",), ("reboot",), ("stop",)):
        bench.example("layers", *words)
    bench.example("layers", "assign")
    bench.kiln("layers", "assign", "web1", "web")
    bench.example("layers", "start")
    bench.kiln("layers", "stop", "web1")
    bench.example("layers", "delete")


def rollouts(bench: Bench) -> None:
    bench.kiln("bake", "al2023-web", "--force")
    bench.kiln("layers", "start", "--layer", "shop/web")
    bench.example("rollout", "start")
    bench.example("rollback")
    feed = {"blueprint": "al2023-web", "strategy": "replace", "approval": "required"}
    change("stacks/shop.yaml", blueprints=[feed])
    bench.kiln("apply", "stacks/shop.yaml")
    bench.kiln("rollout", "start", "al2023-web", "shop/web", "--no-wait")
    until(lambda: _phase() == "waiting for approval")
    bench.example("rollout", "approve")
    bench.example("rollout", "status")


def _phase() -> str:
    ran = run("rollout", "status", "shop/web", "--json")
    return str(ran.json["rollouts"][-1]["phase"])


def upkeep(bench: Bench) -> None:
    bench.example("sweep")
    bench.example("dlq")
    bench.example("dlq", "list")
    bench.example("dlq", "replay")
