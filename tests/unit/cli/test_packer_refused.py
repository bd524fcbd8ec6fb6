"""Files that are no template of Packer's, and what only Packer knows of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import foreign
from tests.foreign import packer_hcl, packer_json, write
from tests.kiln_command import run
from tests.unit.cli.packer import hcl_of, imported, refused, said


def test_dynamic_blocks_and_what_packer_alone_knows_are_named(tmp_path: Path) -> None:
    found = imported(
        hcl_of(
            tmp_path,
            source='dynamic "tag" {\n  for_each = var.x\n  content {\n  key = "a"\n }\n}\n'
            "skip_create_ami = packer.version\n nothing_like_this = 1\n spot_price = 0",
        )
    )
    assert "a dynamic block (line 5)" in said(found, "wanted", "tag")
    assert said(found, "dropped", "nothing_like_this") == "Kiln has nothing like it"
    assert "on demand" in said(found, "dropped", "spot_price")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.json", "{", "is not JSON"),
        ("x.json", "[]", "holds no builders"),
        ("x.json", '{"builders": []}', "builders: is empty"),
        ("x.json", '{"builders": {}}', "builders: must be a list"),
        ("x.json", '{"builders": [{}]}', "builders.0: must be a mapping with a type"),
        ("x.json", '{"builders": [], "builder": 1}', "builder: is no key"),
        ("x.json", '{"builders": [{"type": "docker"}]}', "only docker; Kiln makes images of EC2"),
        ("x.json", '{"builders": [{"type": "a"}], "variables": 1}', "variables: must be a mapping"),
        ("x.json", '{"builders": [{"type": "a"}], "post-processors": [1]}', "post-processors.0"),
        ("x.pkr.json", '{"source": {}}', "is HCL2 written as JSON"),
        ("x.pkr.hcl", "source {", "line 1, column 9: is not HCL2: it ends too soon"),
        ("x.pkr.hcl", 'a = "', "is not HCL2"),
        ("x.pkr.hcl", "resource \"x\" {\n}", "line 1: 'resource' is no block of a template"),
        ("x.pkr.hcl", "a = 1", "holds no source"),
        ("x.pkr.hcl", 'build {\n  sources = ["amazon-ebs.x"]\n}', "'amazon-ebs.x', which no file"),
        ("x.pkr.hcl", 'variable "a" {\n}\nvariable "a" {\n}', "line 3: variable a is there"),
        ("x.pkr.hcl", 'source "a" "a" {\n  b = 1\n  b = 2\n}', "line 3: 'b' is given twice"),
        ("x.pkr.hcl", 'source "a" "a" {\n  b = 1\n  b {\n}\n}', "line 3: 'b' is given twice"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    path = write(tmp_path, name, text)
    error = refused(path)
    assert words in error
    assert error.startswith(f"kiln: {path}: ") or "no builder is" in error


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    one, other = packer_json(tmp_path), write(tmp_path, "b.json", foreign.PACKER_JSON)
    assert "a JSON template is one file" in refused(one, other)
    assert "is JSON beside HCL2" in refused(one, packer_hcl(tmp_path))
    assert "--var: 'x' is not of the form" in refused(one, "--var", "x")


def test_the_file_reads_as_it_was_made_and_begins_with_what_is_to_be_done(tmp_path: Path) -> None:
    ran = run("import", "packer", packer_json(tmp_path), "-o", tmp_path / "web.yaml")
    assert (ran.status, ran.stdout) == (0, "")
    lines = (tmp_path / "web.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schemas/blueprint.json"
    assert lines[2] == "# Imported from Packer's builders.0 (amazon-ebs) of web."
    assert lines[3].startswith("# To fill in: ")
    assert "web: to fill in: " in ran.stderr
    assert "    sudo apt-get -y install nginx" in lines
    again = run("import", "packer", tmp_path / "web.json", "-o", tmp_path / "web.yaml")
    assert "--force writes over it" in again.error
