"""schemas/ is what the models say, and it says the truth about files and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain import events
from kiln.domain.blueprint import blueprint_from
from kiln.domain.stack import stack_from
from kiln.domain.step import ACTIONS
from tools.schemas import FOLDER, schemas, text_of, words

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "blueprints").glob("*.yaml")) + sorted((ROOT / "stacks").glob("*.yaml"))


def validator() -> Any:
    # Imported late: it takes more than a second, in every worker that only collects this file.
    from jsonschema import Draft202012Validator

    return Draft202012Validator


def stored(name: str) -> Any:
    return validator()(json.loads((FOLDER / name).read_text()))


def test_the_stored_schemas_are_fresh() -> None:
    made = schemas()
    found = {str(p.relative_to(FOLDER)): p.read_text() for p in FOLDER.rglob("*.json")}
    assert found == {name: text_of(schema) for name, schema in made.items()}, (
        "run `python -m tools.schemas`"
    )


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_schema_is_a_schema(name: str) -> None:
    validator().check_schema(schemas()[name])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_names_its_schema_and_obeys_it(path: Path) -> None:
    kind = "blueprint" if path.parent.name == "blueprints" else "stack"
    text = path.read_text()
    assert text.startswith(f"# yaml-language-server: $schema=../schemas/{kind}.json\n")
    stored(f"{kind}.json").validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "amazon-linux-3"},
        {"colour": "x"},
        {"base": {}},
        {"base": {"image": "ami-12345678", "layer": "shop/web"}},
        {"steps": [{"name": "nothing"}]},
        {"steps": [{"name": "two", "shell": "true", "reboot": True}]},
        {"deadline": "soon"},
        {"on_failure": "shrug"},
        {"distribute": {"launch_templates": [{"region": "us-east-1"}]}},
    ],
    ids=str,
)
def test_an_editor_sees_what_kiln_refuses(change: dict[str, Any]) -> None:
    document = yaml.safe_load((ROOT / "blueprints" / "al2023-web.yaml").read_text())
    assert not stored("blueprint.json").is_valid(document | change)


def models() -> dict[str, Any]:
    """The parts of both schemas that have keys, by name."""
    found: dict[str, Any] = {}
    for name in ("blueprint.json", "stack.json"):
        schema = schemas()[name]
        found |= schema["$defs"] | {schema["title"]: schema}
    return {name: part for name, part in found.items() if "properties" in part}


def test_every_key_says_what_it_means_and_gives_an_example() -> None:
    told = {name: set(keys) for name, keys in words().items()}
    assert told == {name: set(part["properties"]) for name, part in models().items()}
    for name, part in models().items():
        for key, found in part["properties"].items():
            assert len(found["description"]) > 8, (name, key)
            assert found["description"].endswith("."), (name, key)
            assert found["examples"], (name, key)


@pytest.mark.parametrize("file", ["blueprint.json", "stack.json"])
def test_every_example_of_a_key_is_what_the_key_may_hold(file: str) -> None:
    schema = schemas()[file]
    for name, part in {"": schema, **schema["$defs"]}.items():
        for key, found in part.get("properties", {}).items():
            whole = found | {"$defs": schema["$defs"]}
            for example in found["examples"]:
                problems = [error.message for error in validator()(whole).iter_errors(example)]
                assert not problems, (name, key, example)


# The examples of a blueprint's and a stack's own keys, put into a file that has the least.
LEAST: dict[str, dict[str, Any]] = {
    "blueprint.json": {
        "kind": "blueprint",
        "name": "example",
        "platform": "amazon-linux-2023",
        "base": {"image": "ami-12345678"},
    },
    "stack.json": {"kind": "stack", "name": "example", "layers": []},
}
# What the other keys of a file must be for a key to stand there at all.
WITH: dict[str, dict[str, Any]] = {
    "chef": {"platform": "ubuntu-18.04", "base": {"layer": "shop/app"}},
    "windows": {"platform": "windows-2022"},
}


@pytest.mark.parametrize("file", LEAST)
def test_kiln_itself_takes_the_examples(file: str) -> None:
    read = {"blueprint.json": blueprint_from, "stack.json": stack_from}[file]
    for key, found in schemas()[file]["properties"].items():
        for example in found["examples"]:
            assert read(LEAST[file] | WITH.get(key, {}) | {key: example})


LAYER = {"name": "x", "kind": "instances", "platform": "debian-12", "instance_type": "m7i.large"}
LAYER_WITH: dict[str, dict[str, Any]] = {
    "group": {"kind": "autoscaling", "instance_type": None},
    "refresh": {"kind": "autoscaling", "instance_type": None, "group": "x"},
    "source": {"runner": "chef"},
    "runner": {"source": {"type": "S3"}},
}


def test_kiln_itself_takes_the_examples_of_a_layer() -> None:
    for key, found in schemas()["stack.json"]["$defs"]["Layer"]["properties"].items():
        for example in found["examples"]:
            more = LAYER_WITH.get(key, {})
            if example == "autoscaling":
                more = LAYER_WITH["group"] | {"group": "x"}
            if example == "shell":
                more = {}
            layer = LAYER | more | {key: example}
            assert stack_from(LEAST["stack.json"] | {"layers": [layer]})


@pytest.mark.parametrize("action", ACTIONS)
def test_kiln_itself_takes_the_examples_of_a_step(action: str) -> None:
    platform = "windows-2022" if action == "powershell" else "debian-12"
    found = schemas()["blueprint.json"]["$defs"]["Step"]["properties"][action]
    for example in found["examples"]:
        step = {"name": "example", action: example}
        given = LEAST["blueprint.json"] | {"platform": platform, "steps": [step]}
        assert blueprint_from(given).steps[0].action == action


EVENTS = [
    events.BakeStarted(bake="b", blueprint="web", version=1, base="ami-1"),
    events.BakeFailed(bake="b", blueprint="web", error="StepFailed", cause="c", state="AwaitStep"),
    events.BlueprintPaused(
        blueprint="web", version=7, bakes=("b", "c", "d"), error="StepFailed", reason="r"
    ),
    events.ImageAvailable(
        bake="b",
        blueprint="web",
        version=1,
        images={"eu-west-1": "ami-2"},
        name="web-1",
        base="ami-1",
        release="current",
        platform="amazon-linux-2023",
        architecture="x86_64",
        root_device="ebs",
        manifest="bakes/b/packages",
        layers=(events.LayerStrategy(layer="shop/web", strategy="add"),),
    ),
    events.ImageRetired(
        bake="b",
        blueprint="web",
        version=1,
        image="ami-2",
        region="us-east-1",
        here="ami-3",
        became="deleted",
        why=("95 days old, after is 90d",),
    ),
    events.ImageDistributed(
        bake="b",
        blueprint="web",
        version=1,
        image="ami-2",
        images={"eu-west-1": "ami-2"},
        missing={"us-east-1": "ImageFailed: ami-3 is failed"},
    ),
    events.ImagePromoted(
        bake="b",
        blueprint="web",
        version=1,
        channel="prod",
        promotion=3,
        image="ami-2",
        images={"eu-west-1": "ami-2"},
        name="web-1",
        platform="amazon-linux-2023",
        architecture="x86_64",
        layers=(events.LayerStrategy(layer="shop/web", strategy="add", channel="prod"),),
        former="ami-1",
        source="staging",
        by="arn:aws:iam::123456789012:user/ada",
    ),
    *(
        events.RolloutChanged(rollout="r", image="ami-2", layer="shop/web", status=status)
        for status in ("Started", "Succeeded", "Failed", "Rolled Back")
    ),
    events.InstanceStateChange(
        hostname="web1",
        stack_id="shop",
        layer_ids=("web",),
        instance_id="11111111-2222-3333-4444-555555555555",
        ec2_instance_id=None,
        status="requested",
    ),
    events.CommandStateChange(
        command_id="d/i", instance_id="i", type="deploy", status="successful"
    ),
    events.DeploymentStateChange(
        stack_id="shop", instance_ids=("i",), deployment_id="d", command="deploy", status="running"
    ),
    events.RolloutApproved(rollout="r", image="ami-2", layer="shop/web", by="ada"),
    events.Alert(
        stack_id="shop",
        instance_id="11111111-2222-3333-4444-555555555555",
        type="AutoHealing",
        message="web1 was healed 4 times",
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.detail_type)
def test_an_event_obeys_the_schema_of_its_detail_type(event: events.Event) -> None:
    name = event.detail_type.lower().replace(" ", "-")
    sent = {"source": "kiln", "detail-type": event.detail_type, "detail": event.detail()}
    stored(f"events/{name}.json").validate(sent)
    with_more = sent | {"detail": {**event.detail(), "added-later": 1}}
    stored(f"events/{name}.json").validate(with_more)


def test_every_detail_type_has_a_schema() -> None:
    assert {f"events/{e.detail_type.lower().replace(' ', '-')}.json" for e in EVENTS} == {
        name for name in schemas() if name.startswith("events/")
    }
