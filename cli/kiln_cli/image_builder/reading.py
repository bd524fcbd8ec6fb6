"""Files as resources: saved output, CloudFormation, component documents, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kiln.errors import InvalidRequest, Refused
from kiln_cli.elsewhere.json_text import parse_json
from kiln_cli.files import read_text
from kiln_cli.image_builder.cloudformation import TAGS, Values
from kiln_cli.image_builder.estate import KINDS, OTHERS, Estate, Resource, plain_keys
from kiln_cli.yaml12 import read_yaml

_LARGEST = 512 * 1024
_IN_PARTS = "import its recipes in parts"
MOST_RESOURCES = 300
_NEEDS = "it needs what `aws imagebuilder get-image-recipe` prints, a template or a document"
# Image Builder and CloudFormation write what a component does into a text, which is YAML again.
_MOST_MARKS = 15_000
_MARK = re.compile(r"[,:\[\]{}\n]")


def read_estate(paths: Iterable[Path], given: Mapping[str, str]) -> Estate:
    """Everything that the files describe. Raises InvalidRequest that begins with the file."""
    estate = Estate()
    for path in paths:
        try:
            _take(_parsed(read_text(path, _LARGEST, _IN_PARTS)), path, estate, given)
            if len(estate.resources) > MOST_RESOURCES:
                raise InvalidRequest(f"there are more than {MOST_RESOURCES} resources; {_IN_PARTS}")
        except RecursionError as error:
            raise InvalidRequest(f"{path}: is nested too deep") from error
        except Refused as error:
            raise InvalidRequest(f"{path}: {error}") from error
    _read_documents(estate)
    return estate


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return parse_json(text, _IN_PARTS)
    return read_yaml(text, _NEEDS, TAGS)


def _take(document: Any, path: Path, estate: Estate, given: Mapping[str, str]) -> None:
    if not isinstance(document, dict):
        raise InvalidRequest(f"is no mapping; {_NEEDS}")
    if isinstance(document.get("phases"), list):
        name = document.get("name")
        called = name if isinstance(name, str) and name else path.stem
        said = {"name": called, "document": document}
        estate.resources.append(
            Resource("component", called, called, said, f"component {called[:60]}")
        )
    elif isinstance(document.get("Resources"), dict):
        _take_template(document, estate, given)
    elif any(key in document for key in (*KINDS, *OTHERS)):
        _take_output(document, estate)
    else:
        raise InvalidRequest(f"holds nothing of Image Builder's; {_NEEDS}")


def _take_output(document: dict[str, Any], estate: Estate) -> None:
    for key, found in document.items():
        if key in OTHERS:
            estate.notes.drop("the file", key, OTHERS[key])
        elif key in KINDS:
            if not isinstance(found, dict):
                raise InvalidRequest(f"{key}: must be a mapping")
            name = found.get("name") if isinstance(found.get("name"), str) else ""
            identity = found.get("arn") if isinstance(found.get("arn"), str) else name
            said = f"{key} {str(name)[:60]}"
            estate.resources.append(Resource(KINDS[key], str(identity), str(name), found, said))


def _take_template(template: dict[str, Any], estate: Estate, given: Mapping[str, str]) -> None:
    values = Values(template, given)
    before = len(estate.resources)
    for logical, resource in template["Resources"].items():
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or not kind.startswith("AWS::ImageBuilder::"):
            continue
        short = kind.rpartition("::")[2]
        key = short[:1].lower() + short[1:]
        if key in OTHERS:
            estate.notes.drop(logical[:60], kind, OTHERS[key])
        elif key in KINDS:
            said = plain_keys(values.resolved(resource.get("Properties") or {}))
            if not isinstance(said, dict):
                raise InvalidRequest(f"Resources.{logical[:60]}.Properties: must be a mapping")
            name = said.get("name")
            called = name if isinstance(name, str) else logical
            found = Resource(KINDS[key], logical, called, said, f"{logical[:60]} ({short})")
            estate.resources.append(found)
        else:
            estate.notes.drop(logical[:60], kind[:80], "Kiln has nothing like it")
    if len(estate.resources) == before:
        raise InvalidRequest("is a template without resources of Image Builder's")


def _read_documents(estate: Estate) -> None:
    """The documents that stand in a text, read once each."""
    texts = [one for one in estate.of("component") if isinstance(one.said.get("data"), str)]
    if sum(len(_MARK.findall(one.said["data"])) for one in texts) > _MOST_MARKS:
        raise InvalidRequest(f"the components' documents hold too much; {_IN_PARTS}")
    for one in texts:
        try:
            document = _parsed(one.said["data"])
        except Refused as error:
            raise InvalidRequest(f"{one.about}: data: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("phases"), list):
            raise InvalidRequest(f"{one.about}: data: is no document with phases")
        one.said["document"] = document
