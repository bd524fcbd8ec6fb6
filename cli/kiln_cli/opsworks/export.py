"""Reading saved output: which objects there are, checked against their shapes. A file that is not
such output is refused in one line that says where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiln.errors import InvalidRequest, Refused
from kiln_cli.elsewhere.json_text import parse_json
from kiln_cli.files import read_text
from kiln_cli.opsworks.fields import FLAG, MAP, NUMBER, OTHER, SHAPES, TEXT, WHOLE

# Two thousand instances take a third of it. OpsWorks let an account have 40 stacks, each with 40
# layers of 40 instances, unless it was asked for more (opsworks guide, "Quotas").
LARGEST_EXPORT = 16 * 1024 * 1024
MOST_OBJECTS = 2_000
# A group's ARN is the longest there was; every message may repeat one.
_LONGEST_ID = 200
_IN_PARTS = "save the output of one stack at a time, and import it in parts"
_NOT_SO = {TEXT: str, WHOLE: int, NUMBER: (int, float), FLAG: bool, MAP: dict}
_IDS = {
    "Stacks": "StackId",
    "Layers": "LayerId",
    "Instances": "InstanceId",
    "LoadBasedAutoScalingConfigurations": "LayerId",
    "TimeBasedAutoScalingConfigurations": "InstanceId",
}
Object = dict[str, Any]


@dataclass
class Export:
    """All objects of all files, by the key under which OpsWorks lists them."""

    objects: dict[str, list[Object]] = field(default_factory=lambda: {key: [] for key in SHAPES})
    other: dict[str, int] = field(default_factory=dict)

    def of(self, key: str, name: str, value: Any) -> list[Object]:
        """The objects of a kind that have this value in a field."""
        return [found for found in self.objects[key] if found.get(name) == value]


def read_export(paths: Iterable[Path]) -> Export:
    """Everything that the files hold, in any order. Raises InvalidRequest."""
    export = Export()
    for path in paths:
        try:
            _take(_parsed(read_text(path, LARGEST_EXPORT, _IN_PARTS)), export)
        except Refused as error:
            raise InvalidRequest(f"{path}: {error}") from error
    if not export.objects["Stacks"]:
        raise InvalidRequest("no file holds Stacks; add the output of aws opsworks describe-stacks")
    return export


def _parsed(text: str) -> Any:
    return parse_json(text, _IN_PARTS)


def _take(document: Any, export: Export) -> None:
    known = {key: found for key, found in _items(document) if key in (*SHAPES, *OTHER)}
    if not known:
        raise InvalidRequest(
            f"holds none of {', '.join(SHAPES)}; save the output of aws opsworks describe-stacks, "
            "describe-layers, describe-instances and so on as JSON"
        )
    for key, _ in _items(document):
        if key not in known and key != "NextToken":
            raise InvalidRequest(f"{key[:60]}: is no list of OpsWorks's objects")
    for key, found in known.items():
        if not isinstance(found, list):
            raise InvalidRequest(f"{key}: must be a list, not {_kind(found)}")
        if key in OTHER:
            export.other[key] = export.other.get(key, 0) + len(found)
        else:
            _add(key, found, export)


def _items(document: Any) -> Iterable[tuple[str, Any]]:
    return document.items() if isinstance(document, dict) else ()


def _add(key: str, found: list[Any], export: Export) -> None:
    name = _IDS.get(key)
    for index, one in enumerate(found):
        _check_item(one, SHAPES[key], f"{key}.{index}")
        if name:
            identity = one.get(name)
            if not identity:
                raise InvalidRequest(f"{key}.{index}.{name}: is required")
            if len(identity) > _LONGEST_ID:
                raise InvalidRequest(
                    f"{key}.{index}.{name}: is longer than {_LONGEST_ID} characters"
                )
            before = export.of(key, name, identity)
            if before and before[0] != one:
                raise InvalidRequest(
                    f"{key}.{index}: {identity} is described twice, and differently"
                )
            if before:
                continue
        if len(export.objects[key]) == MOST_OBJECTS:
            raise InvalidRequest(f"{key}: there are more than {MOST_OBJECTS}; {_IN_PARTS}")
        export.objects[key].append(one)


def _check(value: Any, shape: Any, path: str) -> None:
    """Raise InvalidRequest where a value has another type than OpsWorks gave it."""
    if value is None:
        return
    if isinstance(shape, list):
        _check_list(value, shape[0], path)
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            raise InvalidRequest(f"{path}: must be a mapping, not {_kind(value)}")
        for key, found in value.items():
            if key in shape:
                _check(found, shape[key], f"{path}.{key}")
    elif not _is(value, shape):
        raise InvalidRequest(f"{path}: must be {shape}, not {_kind(value)}")


def _check_list(value: Any, shape: Any, path: str) -> None:
    if not isinstance(value, list):
        raise InvalidRequest(f"{path}: must be a list, not {_kind(value)}")
    for index, item in enumerate(value):
        _check_item(item, shape, f"{path}.{index}")


def _check_item(item: Any, shape: Any, path: str) -> None:
    if item is None:
        raise InvalidRequest(f"{path}: must not be null")
    _check(item, shape, path)


def _is(value: Any, shape: str) -> bool:
    # True is an int to Python.
    if isinstance(value, bool) and shape != FLAG:
        return False
    return isinstance(value, _NOT_SO[shape])  # type: ignore[arg-type]


def _kind(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
