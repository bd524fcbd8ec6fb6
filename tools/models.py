"""Writes layers/deps/models: all that botocore reads to make a client, of the services that
functions call alone, and cut down to the operations that they use, without documentation.

Most of the time that a client takes to be made is spent on reading its model, which is megabytes
for EC2, on looking through the folders of four hundred services, and on the endpoints of all of
them. A function's session reads nothing but this folder (`kiln.wiring.session`): models, paginators
and endpoint rules by service, and what botocore reads once. `--check` says whether it is fresh.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from tools.step_calls import every_operation

TARGET = Path(__file__).parents[1] / "layers/deps/models"
_PROSE = ("documentation", "documentationUrl", "examples")
# Services by the names that permissions and errors have for them, where a client's is another.
_CLIENTS = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}
# Services by the names that botocore's endpoints have for them, where a client's is another.
_PREFIXES = {"elbv2": "elasticloadbalancing", "stepfunctions": "states", "cloudwatch": "monitoring"}
# What botocore reads once, whatever the service.
_ONCE = ("partitions", "_retry", "sdk-default-configuration")
# What botocore itself may ask for: the Region of a bucket, the endpoints of a table.
_ITS_OWN = ("s3:HeadBucket", "dynamodb:DescribeEndpoints")
# No call of a client: a file behind an address.
_NO_CALL = {"sns:SigningCert"}


def models() -> dict[str, str]:
    """The files of the folder by their paths in it."""
    # botocore's own alone: a user may have others in the home folder.
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    found = {name: loader.load_data(name) for name in _ONCE}
    found["endpoints"] = _endpoints(loader.load_data("endpoints"), set(called()))
    for client, operations in called().items():
        version = loader.determine_latest_version(client, "service-2")
        for kind, cut in _KINDS.items():
            if client in loader.list_available_services(kind):
                whole = loader.load_service_model(client, kind, version)
                found[f"{client}/{version}/{kind}"] = cut(whole, operations)
    return {
        f"{path}.json": json.dumps(told, separators=(",", ":"), sort_keys=True) + "\n"
        for path, told in found.items()
    }


def _endpoints(whole: dict[str, Any], clients: set[str]) -> dict[str, Any]:
    """Of all partitions and Regions, for these services alone."""
    kept = {_PREFIXES.get(client, client) for client in clients}
    partitions = [
        partition | {"services": {k: v for k, v in partition["services"].items() if k in kept}}
        for partition in whole["partitions"]
    ]
    return whole | {"partitions": partitions}


def called() -> dict[str, set[str]]:
    """Client of botocore -> the operations that are called with it."""
    found: dict[str, set[str]] = defaultdict(set)
    for operation in {*every_operation(), *_ITS_OWN} - _NO_CALL:
        service, _, name = operation.partition(":")
        found[_CLIENTS.get(service, service)].add(name)
    return dict(sorted(found.items()))


def _cut(whole: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    kept = {name: whole["operations"][name] for name in sorted(operations)}
    shapes: dict[str, Any] = {}
    waiting = list(_named(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = whole["shapes"][name]
            waiting += _named(shapes[name])
    rest = {key: value for key, value in whole.items() if key not in ("operations", "shapes")}
    pruned: dict[str, Any] = _without_prose({**rest, "operations": kept, "shapes": shapes})
    # Whoever looks for an endpoint asks each of these for its documentation, and needs none.
    for told in pruned.get("clientContextParams", {}).values():
        told["documentation"] = None
    return pruned


def _cut_pages(whole: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    found = whole["pagination"].items()
    return {"pagination": {name: told for name, told in found if name in operations}}


# What is read of a service, and what is left of it.
_KINDS: dict[str, Callable[[dict[str, Any], set[str]], dict[str, Any]]] = {
    "service-2": _cut,
    "paginators-1": _cut_pages,
    "endpoint-rule-set-1": lambda whole, _: whole,
}


def _named(node: Any) -> Iterator[str]:
    """The shapes that a part of a model refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for value in node.values():
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


def _without_prose(node: Any) -> Any:
    """Texts alone are prose: a member of a shape may have such a name too."""
    if isinstance(node, dict):
        return {
            key: _without_prose(value)
            for key, value in node.items()
            if key not in _PROSE or not isinstance(value, str)
        }
    return [_without_prose(value) for value in node] if isinstance(node, list) else node


def main(*arguments: str) -> int:
    """Write the folder, or check it."""
    files = models()
    there = {str(file.relative_to(TARGET)): file.read_text() for file in TARGET.rglob("*.json")}
    if there == files:
        return 0
    if "--check" in arguments:
        print("layers/deps/models is not what botocore and the adapters say: run `make tables`")
        return 1
    for stale in there.keys() - files.keys():
        (TARGET / stale).unlink()
    for path, text in files.items():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
