"""Write schemas/ from the models: `python -m tools.schemas`. A contract test holds them fresh.

Editors read blueprint.json and stack.json (the first line of a file names its schema); whoever
consumes Kiln's events reads the others. What a validator of ours checks in code is told where JSON
Schema can say it: platforms, durations, exactly one base, exactly one action. What a key means, and
an example of it, stands in schema_words.yaml.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from kiln.domain import events
from kiln.domain.app import SOURCE_KEYS
from kiln.domain.blueprint import Blueprint
from kiln.domain.platforms import PLATFORMS
from kiln.domain.stack import Stack
from kiln.domain.step import ACTIONS

FOLDER = Path(__file__).parents[1] / "schemas"
WORDS = Path(__file__).parent / "schema_words.yaml"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DURATIONS = (
    *("deadline", "timeout", "deprecate_after", "shutdown_timeout", "bake_time", "health_within"),
    *("approval_within", "wait", "ignore", "instance_warmup", "checkpoint_delay", "after"),
)
_ROLLOUTS = ("Started", "Succeeded", "Failed", "Rolled Back")

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """Every schema by its path below `schemas/`."""
    made = {"blueprint.json": _of_file(Blueprint), "stack.json": _of_file(Stack)}
    for detail_type, detail in _details().items():
        name = detail_type.lower().replace(" ", "-")
        made[f"events/{name}.json"] = _event(detail_type, detail)
    return made


def text_of(schema: Schema) -> str:
    """The file's content."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def words() -> dict[str, dict[str, dict[str, Any]]]:
    """What is said of each key: by model and key, `says` and `examples`."""
    found: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(WORDS.read_text())
    return found


def _of_file(model: type[BaseModel]) -> Schema:
    schema = {"$schema": DRAFT, **model.model_json_schema()}
    definitions = schema.get("$defs", {})
    told = words()
    for definition in (schema, *definitions.values()):
        for name, found in definition.get("properties", {}).items():
            said = told.get(definition["title"], {}).get(name, {})
            found |= {"description": said.get("says", ""), "examples": said.get("examples", [])}
    for definition in (schema, *definitions.values()):
        _refine(definition.get("properties", {}))
    if "Base" in definitions:
        beside = ("allow_deprecated", "channel")
        ways = [name for name in definitions["Base"]["properties"] if name not in beside]
        definitions["Base"]["oneOf"] = [{"required": [way]} for way in ways]
    if "Rule" in definitions:
        definitions["Rule"]["anyOf"] = [{"required": [key]} for key in ("keep_last", "after")]
    if "Step" in definitions:
        definitions["Step"]["oneOf"] = [{"required": [action]} for action in ACTIONS]
    if "TemplateTarget" in definitions:
        ways = [{"required": [way]} for way in ("id", "name")]
        definitions["TemplateTarget"]["oneOf"] = ways
    if "AppSource" in definitions:
        definitions["AppSource"]["oneOf"] = list(_sources())
    return schema


def _sources() -> Iterator[Schema]:
    for kind, (needed, _) in SOURCE_KEYS.items():
        yield {"properties": {"type": {"const": kind}}, "required": list(needed)}


def _refine(properties: Schema) -> None:
    for name, found in properties.items():
        for choice in found.get("anyOf", [found]):
            if choice.get("type") == "string" and name == "platform":
                choice["enum"] = list(PLATFORMS)
            if choice.get("type") == "string" and name in _DURATIONS:
                choice["pattern"] = "^[0-9]{1,6}[smhd]$"


def _details() -> dict[str, Schema]:
    """The schema of `detail` by detail-type."""
    found = {
        "Bake Started": _open(events.BakeStarted),
        "Image Available": _open(events.ImageAvailable),
        "Image Distributed": _open(events.ImageDistributed),
        "Image Promoted": _open(events.ImagePromoted),
        "Image Retired": _open(events.ImageRetired),
        "Bake Failed": _open(events.BakeFailed),
        "Blueprint Paused": _open(events.BlueprintPaused),
        "Instance State Change": _kebab(_open(events.InstanceStateChange)),
        "Command State Change": _kebab(_open(events.CommandStateChange)),
        "Deployment State Change": _kebab(_open(events.DeploymentStateChange)),
        "Rollout Approved": _open(events.RolloutApproved),
        "Alert": _kebab(_open(events.Alert)),
    }
    for status in _ROLLOUTS:
        schema = _open(events.RolloutChanged)
        schema["properties"]["status"] = {"const": status, "title": "Status"}
        found[f"Rollout {status}"] = schema
    return found


def _open(model: type[BaseModel]) -> Schema:
    """As a consumer reads it: all fields are there, and more may come."""
    schema = model.model_json_schema(mode="serialization")
    for definition in (schema, *schema.get("$defs", {}).values()):
        definition.pop("additionalProperties", None)
    return schema


def _kebab(schema: Schema) -> Schema:
    """OpsWorks's keys: kebab-case but for initiated_by, absent where there is nothing to say."""

    def key(name: str) -> str:
        return name if name == "initiated_by" else name.replace("_", "-")

    schema["properties"] = {key(name): found for name, found in schema["properties"].items()}
    optional = [name for name, found in schema["properties"].items() if _may_be_null(found)]
    required = (key(name) for name in schema["required"])
    schema["required"] = [name for name in required if name not in optional]
    return schema


def _may_be_null(found: Schema) -> bool:
    return {"type": "null"} in found.get("anyOf", ())


def _event(detail_type: str, detail: Schema) -> Schema:
    definitions = detail.pop("$defs", None)
    schema = {
        "$schema": DRAFT,
        "title": detail_type,
        "description": "An event on Kiln's bus. Ignore keys that you do not know: more may come.",
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {
            "source": {"const": events.SOURCE},
            "detail-type": {"const": detail_type},
            "detail": detail,
        },
    }
    return schema | ({"$defs": definitions} if definitions else {})


def main() -> int:
    """Write what differs, remove what is no schema any more, say which."""
    made = schemas()
    for name, schema in made.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text() != text_of(schema):
            path.write_text(text_of(schema))
            print(f"schemas/{name}")
    for path in FOLDER.rglob("*.json"):
        if str(path.relative_to(FOLDER)) not in made:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
