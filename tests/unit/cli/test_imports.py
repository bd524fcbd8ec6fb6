"""What all imports share: any file is imported or refused in a line, examples in the documentation
are what comes out, and whatever is known is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.blueprint import blueprint_from
from kiln_cli.image_builder import on_linux, on_windows
from kiln_cli.packer.reasons import BUILDERS, POST_PROCESSORS, PROVISIONERS
from kiln_cli.yaml12 import read_yaml
from tests import foreign
from tests.foreign import write
from tests.kiln_command import Ran, run

ROOT = Path(__file__).parents[3]
AMI = "ami-0123456789abcdef0"


# ------------------------------------------------------------ the documentation


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page in a language."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_example_of_packer_is_what_comes_out(tmp_path: Path) -> None:
    (template,), (made,) = blocks("from-packer.md", "hcl"), blocks("from-packer.md", "yaml")
    ran = run("import", "packer", write(tmp_path, "web.pkr.hcl", template))
    assert (ran.status, ran.stdout) == (0, made)


def test_the_example_of_image_builder_is_what_comes_out(tmp_path: Path) -> None:
    document, made = blocks("from-image-builder.md", "yaml")
    path = write(tmp_path, "component.yaml", document)
    ran = run("import", "image-builder", path, "--platform", "amazon-linux-2023")
    assert (ran.status, ran.stdout) == (0, made)


def test_whatever_is_known_of_packer_is_in_its_page() -> None:
    page = (ROOT / "docs/from-packer.md").read_text()
    names = {*BUILDERS, *PROVISIONERS, *POST_PROCESSORS} - {"sleep"}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_action_is_in_the_page_of_image_builder() -> None:
    page = (ROOT / "docs/from-image-builder.md").read_text()
    names = {*on_linux.ACTIONS, *on_windows.ACTIONS}
    assert {name for name in names if f"`{name}`" not in page} == set()


# ------------------------------------------------------------ any file

_WORDS = st.text(max_size=8) | st.sampled_from(
    ["debian-12", "{{user `a`}}", "{{timestamp}}", "ami-01234567", "gp2", "A=b", "10m", "eu-west-1",
     "123456789012", "true", "/dev/xvda", "#!/bin/sh\nid", "{{ a }}", "cron(0 4 * * *)", "AGE"]
)  # fmt: skip
_VALUES = st.recursive(
    _WORDS | st.integers(-5, 2**40) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)


def settings_of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of these names, each there or not, of any value."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, _VALUES))


_SOURCES = settings_of(
    *("ami_name", "source_ami", "source_ami_filter", "instance_type", "tags", "ami_regions"),
    *("ami_users", "launch_block_device_mappings", "kms_key_id", "region", "user_data"),
    *("region_kms_key_ids", "snapshot_users", "fast_launch", "ami_description", "encrypt_boot"),
)
_STEPS = settings_of(
    *("inline", "script", "environment_vars", "env", "timeout", "content", "source", "only"),
    *("destination", "override", "direction", "pause_before", "inline_shebang", "run_list"),
)
_KINDS = st.sampled_from(["shell", "file", "ansible", "powershell", "chef-solo", "other"])


def check(ran: Ran) -> None:
    """Imported, and every file is valid; or refused in one line."""
    if ran.status == 2:
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
        return
    assert ran.status == 0, ran.stderr
    for row in ran.json["blueprints"]:
        assert read_yaml(Path(row["file"]).read_text()) == row["document"]
        assert blueprint_from(row["document"]).name == row["name"]


@given(
    st.lists(_SOURCES, min_size=1, max_size=2),
    st.lists(st.tuples(_KINDS, _STEPS), max_size=3),
    settings_of("a", "b"),
)
def test_any_json_template_is_imported_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    sources: list[dict[str, Any]],
    steps: list[tuple[str, dict[str, Any]]],
    variables: dict[str, Any],
) -> None:
    folder = tmp_path_factory.mktemp("any")
    document = {
        "variables": variables,
        "builders": [{"type": "amazon-ebs"} | one for one in sources],
        "provisioners": [{"type": kind} | one for kind, one in steps],
    }
    path = write(folder, "any.json", document)
    check(run("import", "packer", path, "-o", folder, "--json", "--platform", "debian-12"))


def as_hcl(value: Any) -> str:
    """A value as HCL2 writes it; a text keeps its interpolations."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_hcl(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_hcl(one) for one in value) + "]"
    return json.dumps(value)


_EXPRESSIONS = st.sampled_from(
    ["var.a", "local.b", "var.gone", "local.b[0]", "local.b.x", 'upper(var.a)', '"x${var.a}y"',
     "merge(local.b, {a = 1})", "timestamp()", "1 + 2", "var.a == null ? 1 : 2", "!true", "-1",
     "[for x in local.b : x]", "data.amazon-ami.u.id", "join(\",\", local.b)", "keys(local.b)",
     "format(\"%s-%05d\", var.a, 7)", "<<E\n${var.a}\n  %{ if x }\nE\n", "local.b[*]", "a.b.c"]
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["ami_name", "source_ami", "instance_type", "tags", "user_data", "region"]),
        _EXPRESSIONS | _VALUES.map(as_hcl),
    ),
    st.dictionaries(
        st.sampled_from(["inline", "env", "timeout", "script", "content", "destination"]),
        _EXPRESSIONS | _VALUES.map(as_hcl),
    ),
    _EXPRESSIONS | _VALUES.map(as_hcl),
    _EXPRESSIONS | _VALUES.map(as_hcl),
)
def test_any_hcl2_template_is_imported_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    source: dict[str, str],
    step: dict[str, str],
    default: str,
    local: str,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = f'variable "a" {{\n  default = {default}\n}}\nlocals {{\n  b = {local}\n}}\n'
    text += 'data "amazon-ami" "u" {\n  owners = ["self"]\n}\nsource "amazon-ebs" "web" {\n'
    text += "".join(f"  {key} = {value}\n" for key, value in source.items())
    text += '}\nbuild {\n  sources = ["amazon-ebs.web"]\n  provisioner "shell" {\n'
    text += "".join(f"    {key} = {value}\n" for key, value in step.items()) + "  }\n}\n"
    path = write(folder, "any.pkr.hcl", text)
    check(run("import", "packer", path, "-o", folder, "--json", "--platform", "debian-12"))


_ACTIONS = st.sampled_from([*on_linux.ACTIONS, "ExecuteBash", "UpdateOS", "Reboot", "Other"])
_INPUTS = settings_of(
    *("path", "source", "destination", "content", "owner", "group", "permissions", "commands"),
    *("arguments", "checksum", "algorithm", "target", "force", "overwrite"),
)
_PLACES = settings_of(
    *("region", "amiDistributionConfiguration", "launchTemplateConfigurations"),
    *("ssmParameterConfigurations", "fastLaunchConfigurations"),
)


@given(
    st.tuples(
        st.lists(
            st.tuples(_ACTIONS, _INPUTS | st.lists(_INPUTS, max_size=2) | _VALUES), max_size=3
        ),
        settings_of(
            "blockDeviceMappings", "amiTags", "components", "parentImage", "workingDirectory"
        ),
        settings_of("schedule", "status", "imageTestsConfiguration"),
        st.lists(_PLACES, max_size=2),
        settings_of("instanceTypes", "terminateInstanceOnFailure", "logging"),
    )
)
def test_anything_of_image_builder_is_imported_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, said: tuple[Any, ...]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    steps, recipe, pipeline, places, infrastructure = said
    listed = [{"name": "it", "action": action, "inputs": inputs} for action, inputs in steps]
    document = {
        "imageRecipe": {"name": "a", "components": [{"componentArn": "part"}]} | recipe,
        "imagePipeline": {"imageRecipeArn": "a"} | pipeline,
        "distributionConfiguration": {"name": "d", "distributions": places},
        "infrastructureConfiguration": infrastructure,
    }
    files = [
        write(folder, "recipe.json", document),
        write(folder, "part.yaml", foreign.component(*listed)),
    ]
    ran = run(
        *("import", "image-builder", *files, "-o", folder / "out", "--json"),
        *("--platform", "debian-12"),
    )
    check(ran)
