"""Files and code in the documentation are right."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any

import boto3
import click
import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.stack import stack_from
from kiln_cli.main import cli
from kiln_cli.yaml12 import read_yaml
from kiln_local.faults import faults_from
from kiln_local.template import read
from tests.builders import a_document
from tests.docs.blocks import Block, blocks, pages
from tests.e2e.running import ROOT

KINDS = {
    *("sh", "sh serving", "sh elsewhere", "python", "json", "text"),
    *(f"yaml {what}" for what in ("blueprint", "stack", "layer", "faults", "cloudformation")),
}
FILE = re.compile(r"(hcl|yaml|json) [\w-]+(\.[a-z]+)+")
LAYER = {
    "name": "web",
    "kind": "instances",
    "platform": "amazon-linux-2023",
    "instance_type": "m7i.large",
}


def read_block(block: Block) -> Any:
    return read_yaml(block.text, "it is empty")


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_every_block_says_what_it_is(block: Block) -> None:
    """What is no kind of ours would be looked at by no test."""
    assert block.kind in KINDS or FILE.fullmatch(block.kind)


@pytest.mark.parametrize("block", blocks("sh elsewhere"), ids=str)
def test_the_words_of_a_command_that_is_not_run_are_known(block: Block) -> None:
    for line in block.text.splitlines():
        for words in re.findall(r"(?:kiln|aws|make|git) [^|>#)]+", line):
            check_words(shlex.split(words))


def check_words(words: list[str]) -> None:
    """Whether a command of ours, of AWS's or of the Makefile is there."""
    program, *rest = words
    if program == "kiln":
        context = click.Context(cli)
        command = cli.get_command(context, rest[0])
        assert command is not None, words
        if isinstance(command, click.Group) and len(rest) > 1:
            assert rest[1] in command.commands, words
    elif program == "aws" and rest[0] != "configure":
        client = {"s3api": "s3"}.get(rest[0], rest[0])
        model = boto3.client(client, region_name="eu-west-1").meta.method_to_api_mapping
        assert rest[1].replace("-", "_") in model, words
    elif program == "make":
        assert f"\n{rest[0]}:" in (ROOT / "Makefile").read_text(), words


@pytest.mark.parametrize("block", blocks("yaml blueprint"), ids=str)
def test_a_part_of_a_blueprint_is_one(block: Block) -> None:
    given = read_block(block)
    steps = {"steps": None} if "platform" in given and "steps" not in given else {}
    blueprint_from(a_document(**(steps | given)))


def stack_with(given: dict[str, Any]) -> dict[str, Any]:
    """A part of a stack file, with what it leaves out."""
    layers = [LAYER | layer for layer in given.get("layers", [{}])]
    return {"kind": "stack", "name": "shop"} | given | {"layers": layers}


@pytest.mark.parametrize("block", blocks("yaml stack"), ids=str)
def test_a_part_of_a_stack_file_is_one(block: Block) -> None:
    stack_from(stack_with(read_block(block)))


@pytest.mark.parametrize("block", blocks("yaml layer"), ids=str)
def test_a_layer_is_one(block: Block) -> None:
    stack_from({"kind": "stack", "name": "shop", "layers": read_block(block)})


@pytest.mark.parametrize("block", blocks("yaml faults"), ids=str)
def test_faults_are_faults(block: Block) -> None:
    assert faults_from(read_block(block), ROOT)


@pytest.mark.parametrize("block", blocks("yaml cloudformation"), ids=str)
def test_a_template_has_resources(block: Block, tmp_path: Any) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(block.text)
    assert read(path)["Resources"]


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(path: Any) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), target


def headings(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    found = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found)
    return set(plain)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_every_link_to_a_heading_leads_to_one(path: Any) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        page = path.parent / target if target else path
        assert anchor in headings(page.read_text()), f"{target}#{anchor}"
