"""The matrix: every platform, with every Chef version that OpsWorks ran on it, baked whole.

`make matrix` bakes all rows; `make long` a sample. A step plants what must survive, and a test of
the blueprint's own looks on the clone, with nothing of Kiln's documents, for what must be gone.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kiln.domain.cleanup import chef_versions, cleanup_for
from kiln.domain.platforms import PLATFORMS, Architecture, Family
from kiln.domain.stack import stack_from
from kiln_cli import opening
from kiln_cli.opening import Opened
from tests.e2e.running import ROOT, SPEED, bake

pytestmark = pytest.mark.long

LINUX = [p.name for p in PLATFORMS.values() if p.family is not Family.WINDOWS]
CHEF = [(platform, chef) for platform in LINUX for chef in chef_versions(platform)]
ROWS = [*((platform, None) for platform in LINUX), *CHEF]
SAMPLE = [("amazon-linux-1", "11"), ("amazon-linux-2", "12"), ("centos-7", "12"), ("rhel-9", None)]
WHOLE = os.environ.get("KILN_MATRIX") == "whole"
SURVIVES = {
    "/etc/ssl/certs/web.pem": "a certificate",
    "/etc/pki/rpm-gpg/RPM-GPG-KEY-vendor": "a key of packages",
    "/etc/apt/trusted.gpg.d/vendor.gpg": "a key of apt",
    "/etc/apt/keyrings/vendor.gpg": "another key of apt",
    "/etc/sudoers.d/team": "others may",
    "/etc/cron.d/backup": "0 3 * * * root /opt/backup",
    "/etc/logrotate.d/web": "weekly",
    "/etc/environment": "https_proxy=http://proxy:3128",
    "/home/somebody/notes.txt": "remember the milk",
    "/srv/web/index.html": "hello",
}
BAD = 'bad() { echo "$*" >&2; exit 1; }'
LAYER = {"kind": "instances", "count": 1, "instance_type": "m4.large"}


@pytest.fixture(scope="module")
def matrix() -> Iterator[Opened]:
    """A local AWS with a layer for each pair of platform and Chef version."""
    layers = [LAYER | {"name": _name(p, c), "platform": p, "chef": c} for p, c in CHEF]
    with opening.opened({"local": True, "project": ROOT, "speed": SPEED, "stacks": []}) as opened:
        stack = {"kind": "stack", "name": "matrix", "layers": layers}
        opened.place.world.records.put_stack(stack_from(stack))
        yield opened


def _name(platform: str, chef: str | None) -> str:
    return f"{platform.replace('.', '-')}-{chef or 'plain'}"


def blueprint(platform: str, chef: str | None) -> dict[str, object]:
    """A blueprint of a row: the newest public image, or a new instance of the row's layer."""
    made: dict[str, object] = {
        "kind": "blueprint",
        "name": _name(platform, chef),
        "platform": platform,
        "steps": [{"name": "plant", "shell": planting(platform, chef)}],
        "verify": {"steps": [{"name": "prove", "shell": proof(platform, chef)}]},
        "release_lock": "current",
    }
    if chef:
        return made | {"chef": chef, "base": {"layer": f"matrix/{_name(platform, chef)}"}}
    newest = PLATFORMS[platform].newest_base(Architecture.X86_64)
    if isinstance(newest, str):
        return made | {"base": {"parameter": newest}}
    assert newest
    return made | {"base": {"lookup": {"owner": newest.owner, "name": newest.name}}}


def planting(platform: str, chef: str | None) -> str:
    """What must survive is written; what must go is there before."""
    lines = [BAD, "set -eu", "cp /etc/sudoers /etc/sudoers.before"]
    for path, text in SURVIVES.items():
        lines += [f"mkdir -p {Path(path).parent}", f"echo {shlex.quote(text)} >{path}"]
    lines.append("echo '10.9.9.9 mine.example' >>/etc/hosts")
    row = cleanup_for(platform, chef)
    for pattern in row.paths if chef else ():
        lines.append(f"ls -d {pattern} >/dev/null || bad {pattern} was never there")
    lines += [f"{query(platform)} {name} >/dev/null || bad {name}" for name in row.packages]
    lines += [f"grep -q ^{name}: /etc/passwd || bad {name}" for name in row.accounts]
    return "\n".join(lines)


def query(platform: str) -> str:
    return "dpkg -s" if PLATFORMS[platform].family is Family.DEB else "rpm -q"


def proof(platform: str, chef: str | None) -> str:
    """What a clone must pass, in the words of the table and of nothing else."""
    row = cleanup_for(platform, chef)
    lines = [
        'bad() { echo "$*" >&2; exit 1; }',
        "cmp /etc/sudoers /etc/sudoers.before || bad sudoers",
    ]
    for pattern in row.paths:
        # The clone's own boot makes cloud-init's folder anew.
        if pattern != "/var/lib/cloud":
            lines.append(f'for p in {pattern}; do [ ! -e "$p" ] || bad "$p is there"; done')
    lines += [f"! {query(platform)} {name} >/dev/null 2>&1 || bad {name}" for name in row.packages]
    lines += [f"! grep {name}: /etc/passwd /etc/group || bad {name}" for name in row.accounts]
    for path, text in SURVIVES.items():
        lines.append(f"grep -qxF {shlex.quote(text)} {path} || bad {path} is lost")
    lines += [
        "! grep OpsWorks /etc/hosts || bad hosts",
        "grep -q mine.example /etc/hosts || bad mine",
    ]
    lines.append("grep -q localhost /etc/hosts || bad localhost")
    return "\n".join([*lines, "exit 0"])


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("platform", "chef"), ROWS if WHOLE else SAMPLE)
def test_a_row_is_baked_and_its_clone_proves_each_removal_and_what_survives(
    matrix: Opened, tmp_path: Path, platform: str, chef: str | None
) -> None:
    path = tmp_path / "row.yaml"
    path.write_text(yaml.safe_dump(blueprint(platform, chef)))
    result = bake(path, matrix)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    assert result.leaks == ()
    assert [step.name for c in result.commands for step in c.steps if step.name == "accounts"]


def test_the_sample_is_of_the_matrix_and_the_matrix_is_of_every_platform() -> None:
    assert set(SAMPLE) <= set(ROWS)
    assert {platform for platform, _ in ROWS} == set(LINUX)
    assert {platform for platform, _ in CHEF} >= {"centos-7", "amazon-linux-2", "ubuntu-18.04"}
