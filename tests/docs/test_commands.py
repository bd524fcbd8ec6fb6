"""The commands of the documentation run as they stand, page by page, against one local AWS that is
served. Ids and ports that a page makes up are replaced by those that are there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import Block, blocks
from tests.docs.test_blocks import FILE
from tests.e2e.running import AMAZON, ROOT
from tests.integration.local.worlds import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
BIN = Path(sys.executable).parent
# What a page calls by an id that it made up.
IMAGE, BAKE = re.compile(r"ami-[0-9a-f]{17}"), "web-20261123-101500-9f3a"
BASE = f"{AMAZON}/al2023-ami-kernel-default-x86_64"
WEB: dict[str, Any] = {
    "kind": "blueprint",
    "name": "web",
    "platform": "amazon-linux-2023",
    "base": {"parameter": BASE},
    "distribute": {"regions": [{"region": "us-east-1"}, {"region": "us-east-2"}]},
}
LAYERS = ("web", "app", "cache")
SHOP = {
    "kind": "stack",
    "name": "shop",
    "layers": [
        {
            "name": name,
            "kind": "instances",
            "platform": "amazon-linux-2023",
            "instance_type": "m7i.large",
            "blueprints": [{"blueprint": "web", "channel": "prod"}] if name == "web" else [],
            "recipes": {"deploy": ["true"]},
        }
        for name in LAYERS
    ],
}


@dataclass
class Scene:
    """A project of a user's own, and where its AWS is."""

    folder: Path
    environment: dict[str, str]
    port: int
    first: str = ""
    bake: str = ""

    def shell(self, text: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """What bash makes of a text; what it began in the background ends with it."""
        return subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                f"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{text}",
            ],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **more,
        )

    def kiln(self, *words: str) -> Any:
        """What a command prints with --json."""
        ran = self.shell(f"kiln {' '.join(words)} --json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    def real(self, text: str) -> str:
        """The text with what is there for what the page made up."""
        text = IMAGE.sub(self.first, text).replace(BAKE, self.bake)
        return text.replace(".venv/bin/", "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def project(folder: Path) -> None:
    """Kiln's own folder, with other blueprints and stacks."""
    for path in ROOT.iterdir():
        if path.name not in ("blueprints", "stacks") and not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    for name in ("blueprints", "stacks"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "blueprints" / "web.yaml").write_text(yaml.safe_dump(WEB))
    (folder / "stacks" / "shop.yaml").write_text(yaml.safe_dump(SHOP))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("user")
    project(folder)
    port = free_port()
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment.pop(name, None)
    up = subprocess.Popen(
        ["kiln", "local", "up", "--port", str(port), "--speed", "300"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert up.stdout is not None
        up.stdout.readline()
        made = Scene(folder, environment, port)
        prepare(made)
        yield made
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(timeout=60)


def prepare(scene: Scene) -> None:
    """Three versions of web with an image each. The first two were in prod, so that the layer has
    run both."""
    scene.kiln("apply", "stacks/shop.yaml")
    made = [image_of(scene, number) for number in (1, 2, 3)]
    scene.first, scene.bake = made[0]
    for image, _ in made[:2]:
        for channel in ("staging", "prod"):
            scene.kiln("promote", image, "--to", channel)
        until(lambda: "online" in scene.shell("kiln layers").stdout, pause=0.5)
        scene.kiln("rollout", "status", "shop/web")


def image_of(scene: Scene, number: int) -> tuple[str, str]:
    """Bake a version of its own; the image and the bake."""
    steps = [{"name": "tune", "shell": f"echo {number}"}]
    path = scene.folder / "blueprints" / "web.yaml"
    path.write_text(yaml.safe_dump(WEB | {"steps": steps}))
    baked = scene.kiln("bake", "blueprints/web.yaml")
    return baked["image"]["id"], baked["bake"]["id"]


def own_server(block: Block) -> bool:
    """Whether a block serves a local AWS for itself."""
    return "kiln local up" in block.text


# Examples of the help: tests/e2e/test_examples.py.
REFERENCE = "docs/reference/commands.md"
# One story in one shell: test_tutorial.py.
TUTORIAL = "docs/tutorial.md"
# The Japanese README has the commands of the English one: test_readmes.py.
ELSEWHERE = {REFERENCE, TUTORIAL, "README.ja.md"}
PAGES = sorted({b.page for b in blocks() if b.kind in ("sh", "sh serving")} - ELSEWHERE)
# Whoever comes from another tool has no blueprint of that name yet.
NOT_YET = {"docs/from-packer.md": "blueprints/web.yaml"}


def test_every_command_of_every_page_runs(scene: Scene) -> None:
    """One test: two processes would make two such scenes. What fails names its page and line."""
    for page in PAGES:
        with without(scene.folder / NOT_YET.get(page, "nothing")):
            every_block_runs(scene, page)


@contextmanager
def without(path: Path) -> Iterator[None]:
    """Within the block there is no such file."""
    kept = path.read_text() if path.exists() else None
    path.unlink(missing_ok=True)
    yield
    if kept is not None:
        path.write_text(kept)


def every_block_runs(scene: Scene, page: str) -> None:
    for block in blocks(page=page):
        if named := FILE.fullmatch(block.kind):
            (scene.folder / named[0].split()[1]).write_text(block.text)
        elif block.kind == "yaml faults" and not (scene.folder / "faults.yaml").exists():
            (scene.folder / "faults.yaml").write_text(block.text)
        elif block.kind == "sh serving":
            it_serves_until_it_is_interrupted(scene, block)
        elif block.kind == "sh":
            it_runs(scene, block)


def it_runs(scene: Scene, block: Block) -> None:
    text = scene.real(block.text)
    if all(line.startswith("make ") for line in text.splitlines()):
        makefile = (ROOT / "Makefile").read_text()
        assert all(f"\n{line.split()[1]}:" in makefile for line in text.splitlines())
        return
    port = free_port() if own_server(block) else scene.port
    text = re.sub(r"(--port |127\.0\.0\.1:)\d+", rf"\g<1>{port}", text)
    # It answers some seconds after it was begun, as it says itself.
    text = re.sub(r"(kiln local up.*) &$", rf"\1 > up.txt &\n{_READY}", text, flags=re.MULTILINE)
    ran = scene.shell(text)
    assert ran.returncode == 0, f"{block}\n{text}\n{ran.stdout}\n{ran.stderr}"


_READY = "until grep -q endpoint up.txt; do sleep 0.2; done"


def it_serves_until_it_is_interrupted(scene: Scene, block: Block) -> None:
    text = re.sub(r"--port \d+", f"--port {free_port()}", scene.real(block.text)).strip()
    process = subprocess.Popen(
        ["bash", "-c", f"exec {text}"],
        cwd=scene.folder,
        env=scene.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "127.0.0.1" in process.stdout.readline(), block
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
