"""schemas/ is what the models say, and it says the truth about files and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain import events
from tools.schemas import FOLDER, schemas, text_of

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
