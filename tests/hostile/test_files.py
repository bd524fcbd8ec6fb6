"""Blueprints, stacks and saved output that are wrong somewhere: read, or refused in one line of
ours; and whatever is read can be kept, written down and sent on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiln.domain.blueprint import blueprint_from
from kiln.domain.documents import for_clean, for_step
from kiln.domain.platforms import Family
from kiln.domain.stack import stack_from
from kiln.errors import Refused
from kiln_cli.difference import differences
from kiln_cli.elsewhere import placing
from kiln_cli.files import read_any, with_recipes, with_scripts
from kiln_cli.image_builder import cloudformation, reading
from kiln_cli.image_builder import convert as recipes
from kiln_cli.image_builder.estate import Estate
from kiln_cli.opsworks import convert, export
from kiln_cli.packer import convert as builds
from kiln_cli.packer.legacy import read_legacy
from kiln_cli.packer.template import Template
from kiln_cli.yaml12 import read_yaml
from tests import foreign
from tests.builders import BAKE
from tests.hostile.strategies import hostile, mutated
from tests.sampling import sampled
from tests.unit.cli.test_opsworks import everything

ROOT = Path(__file__).parents[2]
BLUEPRINTS = sorted(ROOT.glob("blueprints/*.yaml"))
STACKS = sorted(ROOT.glob("stacks/*.yaml"))
lax = settings(suppress_health_check=list(HealthCheck))


def one_line(refused: Refused, beginning: str = "") -> None:
    """What a user sees of it fits a terminal."""
    text = " ".join(str(refused).split())
    assert text
    assert text.startswith(beginning)
    assert len(text) < 1_000
    assert "Traceback" not in text


def keepable(model: Any) -> str:
    """As the table keeps it."""
    text = str(model.model_dump_json())
    text.encode()
    assert type(model).model_validate_json(text) == model
    return text


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
@lax
@given(data=st.data())
def test_a_blueprint_that_is_wrong_somewhere_is_read_or_refused(
    path: Path, data: st.DataObject
) -> None:
    document = data.draw(mutated(read_yaml(path.read_text())))
    try:
        found = blueprint_from(with_scripts(document, path.parent))
    except Refused as refused:
        one_line(refused)
        return
    keepable(found)
    sent(found)
    list(differences(read_yaml(path.read_text()), document))


def sent(blueprint: Any) -> None:
    """What is sent to a builder holds no text as it was written: all of it is encoded or of a plain
    alphabet, so that Systems Manager and a shell read it as it is."""
    windows = blueprint.family is Family.WINDOWS
    calls = [for_clean(blueprint, BAKE)]
    for step in (*blueprint.steps, *blueprint.verify.steps):
        if step.action not in ("document", "chef", "ansible"):
            calls.append(for_step(step, "true" if step.script else None, windows))
    for call in calls:
        text = json.dumps(call.parameters)
        assert "{{" not in text
        assert "$(" not in text
        assert "`" not in text


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.stem)
@lax
@given(data=st.data())
def test_a_stack_that_is_wrong_somewhere_is_read_or_refused(
    path: Path, data: st.DataObject
) -> None:
    document = data.draw(mutated(read_yaml(path.read_text())))
    try:
        found = stack_from(with_recipes(document, path.parent))
    except Refused as refused:
        one_line(refused)
        return
    keepable(found)


@lax
@given(document=mutated(everything(), most=4))
def test_saved_output_that_is_wrong_somewhere_is_imported_or_refused(document: Any) -> None:
    try:
        taken = export.Export()
        export._take(export._parsed(json.dumps(document)), taken)
        for made in convert.convert(taken):
            stack_from(read_yaml(placing._text(made)))
    except Refused as refused:
        one_line(refused)


@lax
@given(document=mutated(foreign.PACKER_JSON, most=4))
def test_a_template_that_is_wrong_somewhere_is_imported_or_refused(document: Any) -> None:
    template = Template(ROOT / "tests", "web")
    try:
        read_legacy(json.dumps(document), template, {})
        for made in builds.convert(template, "debian-12"):
            blueprint_from(read_yaml(placing._text(made)))
    except Refused as refused:
        one_line(refused)


BUILDERS = (
    foreign.RECIPE,
    read_yaml(foreign.COMPONENT),
    read_yaml(foreign.TEMPLATE, tags=cloudformation.TAGS),
)


@pytest.mark.parametrize("whole", BUILDERS, ids=["recipe", "component", "template"])
@lax
@given(data=st.data())
def test_what_is_wrong_somewhere_of_image_builders_is_imported_or_refused(
    whole: Any, data: st.DataObject
) -> None:
    estate = Estate()
    try:
        document = reading._parsed(json.dumps(data.draw(mutated(whole, most=4))))
        reading._take(document, ROOT / "x.yaml", estate, {})
        reading._read_documents(estate)
        for made in recipes.convert(estate, "debian-12"):
            blueprint_from(read_yaml(placing._text(made)))
    except Refused as refused:
        one_line(refused)


@lax
@given(document=hostile)
def test_what_is_no_document_at_all_is_refused(document: Any) -> None:
    for read in (blueprint_from, stack_from):
        with pytest.raises(Refused):
            read(document)


@pytest.mark.parametrize(
    "path", sampled([*BLUEPRINTS, *STACKS], every=4), ids=lambda path: path.stem
)
@lax
@given(data=st.data())
def test_bytes_that_are_wrong_somewhere_are_read_or_refused(
    path: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 40))
        content[at : at + cut] = data.draw(st.binary(max_size=12) | st.sampled_from(PIECES))
    spoiled = tmp_path_factory.getbasetemp() / "spoiled.yaml"
    spoiled.write_bytes(bytes(content))
    try:
        read_any(spoiled)
    except Refused as refused:
        one_line(refused, str(spoiled))


PIECES = [
    piece.encode()
    for piece in (
        *("&a ", "*a", "!!python/object:x ", "{", "}", "[", "]", ": ", "? ", "- ", "|\n", ">\n"),
        *("'", '"', "\\", "#", "%TAG ", "---\n", "...\n", "\t", "\r", "<<: ", "~", "\ufeff"),
    )
]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("\ud800", "half a surrogate pair"),
        ({"\udfff": 1}, "half a surrogate pair"),
        (float("nan"), "holds nan, which is no number that JSON knows"),
        (float("inf"), "holds inf, which is no number that JSON knows"),
        ([[0] * 60_000, [0] * 60_000], "holds more than 100000 values"),
    ],
)
def test_what_could_not_be_kept_is_refused_where_anything_may_stand(value: Any, said: str) -> None:
    blueprint = read_yaml(BLUEPRINTS[0].read_text())
    chef = {"source": {"type": "S3"}, "run_list": ["a"], "attributes": {"a": value}}
    with pytest.raises(Refused, match=said):
        blueprint_from(blueprint | {"steps": [{"name": "chef", "chef": chef}]})
    with pytest.raises(Refused, match=said):
        stack_from(read_yaml(STACKS[0].read_text()) | {"custom_json": {"a": value}})
