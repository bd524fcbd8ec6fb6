"""What a rule's target gets of an event: a constant, a part, a text made of parts, or all of it.

moto has a parser for InputTransformer that needs a field which no event has, and cannot read a
name with a hyphen in it (`instance-id`).
"""

from __future__ import annotations

import json
import re
from typing import Any

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|<[\w.-]+>')
_NAME = re.compile(r"<([\w.-]+)>")


def target_input(target: dict[str, Any], event: dict[str, Any]) -> Any:
    """The input of a target (EventBridge API, "Target")."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _part(event, target["InputPath"])
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event)
    return event


def _part(event: dict[str, Any], path: str) -> Any:
    """A part of an event by a dotted path; None where there is none."""
    found: Any = event
    for name in path.split(".")[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _transformed(transformer: dict[str, Any], event: dict[str, Any]) -> Any:
    paths = transformer.get("InputPathsMap", {})
    values = {name: _part(event, path) for name, path in paths.items()}
    values["aws.events.event.json"] = event

    def fill(found: re.Match[str]) -> str:
        piece = found.group()
        if piece.startswith("<"):
            return json.dumps(values[piece[1:-1]]) if piece[1:-1] in values else piece
        return _NAME.sub(lambda name: _inside(values, name), piece)

    return json.loads(_PIECE.sub(fill, transformer["InputTemplate"]))


def _inside(values: dict[str, Any], name: re.Match[str]) -> str:
    """A value between quotes: the text of a string, the JSON of anything else, escaped."""
    if name.group(1) not in values:
        return name.group()
    value = values[name.group(1)]
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
