"""Coverage-guided fuzzing of whatever reads what others have written: `make atheris`.

`python -m tools.fuzz` runs each target for some seconds in a process of its own, seeded with the
examples of the repository; `python -m tools.fuzz TARGET FILE` runs one input again. A target may
raise errors of Kiln's; anything else, two seconds or 200 MB beyond the fuzzer's own are a find,
kept below .fuzz/TARGET.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["kiln", "kiln_cli", "yaml"]):
    from kiln.domain.blueprint import blueprint_from
    from kiln.domain.model import check_depth_and_text
    from kiln.domain.notice import NoNotice, notice_from
    from kiln.domain.stack import stack_from
    from kiln.errors import Refused
    from kiln_cli.files import _decoded
    from kiln_cli.image_builder import convert as recipes
    from kiln_cli.image_builder import reading
    from kiln_cli.image_builder.estate import Estate
    from kiln_cli.opsworks import convert, export
    from kiln_cli.opsworks.fields import FLAG, MAP, NUMBER, SHAPES, TEXT, WHOLE
    from kiln_cli.packer import convert as builds
    from kiln_cli.packer.grammar import tree_of
    from kiln_cli.packer.hcl import read_hcl
    from kiln_cli.packer.legacy import read_legacy
    from kiln_cli.packer.template import Template
    from kiln_cli.yaml12 import read_yaml

from tests import foreign

HOME = Path(".fuzz")
TOPIC = "arn:aws:sns:us-east-1:137112412989:amazon-linux-2-ami-updates"
# The fuzzer itself and its tables take some 300 MB.
LIMITS = ("-timeout=2", "-rss_limit_mb=512", "-max_len=65536", "-print_final_stats=1")


def blueprint(content: bytes) -> None:
    """A blueprint's file."""
    blueprint_from(read_yaml(_decoded(content)))


def stack(content: bytes) -> None:
    """A stack's file."""
    stack_from(read_yaml(_decoded(content)))


def opsworks(content: bytes) -> None:
    """Saved output of OpsWorks."""
    taken = export.Export()
    export._take(export._parsed(_decoded(content)), taken)
    convert.convert(taken)


def packer(content: bytes) -> None:
    """A template of Packer's, JSON or HCL2."""
    template, text = Template(HOME, "a"), _decoded(content)
    if text.lstrip().startswith("{"):
        read_legacy(text, template, {})
    else:
        read_hcl({"a": text}, template, {})
    builds.convert(template, "debian-12")


def image_builder(content: bytes) -> None:
    """What Image Builder has."""
    estate = Estate()
    reading._take(reading._parsed(_decoded(content)), HOME, estate, {})
    reading._read_documents(estate)
    recipes.convert(estate, "debian-12")


def notice(content: bytes) -> None:
    """A record of SNS, as the function that listens gets it."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        # Lambda hands over what is JSON.
        return
    try:
        check_depth_and_text(record)
    except ValueError:
        return
    if isinstance(record, dict):
        found = notice_from(record, (TOPIC,))
        assert found.signed is not None
        assert found.release


TARGETS: dict[str, tuple[Callable[[bytes], None], str]] = {
    "blueprint": (blueprint, "blueprints/*.yaml"),
    "stack": (stack, "stacks/*.yaml"),
    "opsworks": (opsworks, ""),
    "packer": (packer, ""),
    "image-builder": (image_builder, ""),
    "notice": (notice, "events/follow_bases*.json"),
}


def within(call: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A target whose refusals are no finds."""

    def run(content: bytes) -> None:
        try:
            call(content)
        except (Refused, NoNotice):
            return

    return run


def example(shape: Any) -> Any:
    """Saved output of this shape, in which all ids and names are the same."""
    if isinstance(shape, dict):
        return {key: example(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [example(shape[0])]
    return {TEXT: "s", WHOLE: 1, NUMBER: 1.5, FLAG: True, MAP: {"a": "b"}}[shape]


def seeds(name: str) -> Path:
    """The examples as a corpus; of an event one record."""
    folder = HOME / name / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    if name == "opsworks":
        whole = json.dumps({key: [example(shape)] for key, shape in SHAPES.items()})
        (folder / "whole.json").write_text(whole)
        return folder
    if name == "packer":
        foreign.packer_json(folder)
        foreign.packer_hcl(folder)
    if name == "image-builder":
        foreign.image_builder(folder)
        foreign.write(folder, "template.yaml", foreign.TEMPLATE)
    for path in Path().glob(TARGETS[name][1] or "nothing"):
        content: Any = path.read_bytes()
        if name == "notice":
            content = json.dumps(json.loads(content).get("Records", [{}])[0]).encode()
        (folder / path.name).write_bytes(content)
    return folder


def main() -> int:
    """All targets one after the other, or in a child one of them."""
    if len(sys.argv) > 1:
        name, *rest = sys.argv[1:]
        # The parser of HCL2 makes its tables once, which takes a second.
        tree_of("a = 1")
        options = [*LIMITS, f"-artifact_prefix={HOME / name}/"]
        atheris.Setup(["fuzz", *options, *rest], within(TARGETS[name][0]))
        atheris.Fuzz()
        return 0
    seconds = os.environ.get("FUZZ_SECONDS", "60")
    failed = []
    for name in TARGETS:
        command = [sys.executable, "-m", "tools.fuzz", name, f"-max_total_time={seconds}"]
        if subprocess.run([*command, str(seeds(name))], check=False).returncode:
            failed.append(name)
    print(f"fuzz: finds in {', '.join(failed)}; see {HOME}" if failed else "fuzz: nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
