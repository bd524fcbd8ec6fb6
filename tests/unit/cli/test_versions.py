"""Versions of blueprints on the command line: stored, and baked by their number."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.blueprint import blueprint_from
from kiln.errors import AwsBusy, InvalidBlueprint
from kiln_cli import baking
from kiln_cli.applying import Signature, carry_out, plan_file
from kiln_cli.files import BlueprintFile
from kiln_cli.versions import as_yaml, listed, logged
from kiln_cli.yaml12 import read_yaml
from tests.builders import a_document, a_version
from tests.fakes import FakeWorld
from tests.unit.cli.test_baking import FakePlace


@pytest.fixture
def place() -> FakePlace:
    return FakePlace()


def test_an_older_version_is_baked_as_it_was_stored(place: FakePlace) -> None:
    place.world.versions.add(a_version(1, document=a_document(description="first")))
    place.world.versions.add(a_version(2))
    wanted = baking.wanted_from("web@1", None, place)
    plan = baking.check(wanted, place)
    assert (plan.version, plan.blueprint.description) == (1, "first")
    baking.start(wanted, plan, place)
    (started,) = place.stepfunctions.started
    assert json.loads(started["input"]) == {"blueprint": "web", "version": 1}


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("web@3", "web@3: is no file, and web@3 is not stored; stored: version 1 to 2"),
        ("web@0", "web@0 is not stored; stored: version 1 to 2"),
        ("web@x", "web@x: 'x' is no version; write web@3"),
        ("web@", "web@: '' is no version"),
        ("web@\N{ARABIC-INDIC DIGIT ONE}", "is no version"),
        ("web@" + "9" * 5000, "is no version"),
    ],
)
def test_a_version_that_is_not_stored_is_refused_with_those_that_are(
    place: FakePlace, wanted: str, why: str
) -> None:
    place.world.versions.add(a_version(1))
    place.world.versions.add(a_version(2, document=a_document(description="second")))
    with pytest.raises(InvalidBlueprint, match=re.escape(why)):
        baking.wanted_from(wanted, None, place)


def test_a_version_is_signed_and_what_has_not_changed_is_not() -> None:
    fake = FakeWorld()
    file = BlueprintFile(Path("web.yaml"), a_document(), blueprint_from(a_document()))
    carry_out(plan_file(file, fake.world), fake.world, Signature("arn:ada", "first"))
    carry_out(plan_file(file, fake.world), fake.world, Signature("arn:bob", "again"))
    (version,) = fake.versions.all_of("web")
    assert (version.author, version.message) == ("arn:ada", "first")
    assert version.at == fake.clock.now().isoformat()


def test_a_version_that_somebody_else_stored_meanwhile_is_not_written_over() -> None:
    fake = FakeWorld()
    document = a_document(description="mine")
    plan = plan_file(
        BlueprintFile(Path("web.yaml"), document, blueprint_from(document)), fake.world
    )
    fake.versions.add(a_version(author="arn:bob"))
    with pytest.raises(AwsBusy, match="web got version 1 from arn:bob just now"):
        carry_out(plan, fake.world, Signature("arn:ada"))


TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
SCALARS |= st.sampled_from(
    ["no", "1e5", "0x1f", "0123", "2026-11-01", "~", "a: b", "- a", "# a", ""]
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


@given(st.dictionaries(TEXTS, VALUES))
def test_a_version_is_shown_as_a_file_that_says_the_same(document: dict[str, object]) -> None:
    assert read_yaml(as_yaml(a_version(document=document)) or "{}") == document


def test_a_script_is_shown_line_by_line_and_what_steers_a_terminal_is_escaped() -> None:
    steps = [{"name": "tune", "shell": "echo one\necho two\n"}]
    assert "    echo one\n    echo two\n" in as_yaml(a_version(document=a_document(steps=steps)))
    hidden = as_yaml(a_version(document=a_document(description="\N{RIGHT-TO-LEFT OVERRIDE}")))
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in hidden


def test_the_list_has_each_blueprint_with_its_latest_version_and_its_schedule() -> None:
    fake = FakeWorld()
    fake.versions.add(a_version())
    fake.versions.add(a_version(2, document=a_document(rebuild={"schedule": "rate(1 day)"})))
    fake.versions.add(a_version(blueprint="bank"))
    bank, web = listed(None, fake.world)
    assert (bank["name"], bank["version"], bank["schedule"]) == ("bank", 1, None)
    assert (web["name"], web["version"], web["schedule"]) == ("web", 2, "rate(1 day)")
    assert listed("web", fake.world) == [web]
    with pytest.raises(InvalidBlueprint, match="'shop' is not stored; known: bank, web"):
        listed("shop", fake.world)


def test_the_log_says_what_each_version_changed() -> None:
    fake = FakeWorld()
    fake.versions.add(a_version(message="begin"))
    fake.versions.add(a_version(2, document=a_document(description="new"), author="arn:bob"))
    first, second = logged("web", fake.world)
    assert (first["number"], first["message"], first["difference"]) == (1, "begin", [])
    assert (second["author"], second["at"]) == ("arn:bob", a_version().at)
    assert second["difference"] == [
        {"path": "description", "change": "added", "old": None, "new": "new"}
    ]
    with pytest.raises(InvalidBlueprint, match="'shop' is not stored"):
        logged("shop", fake.world)
