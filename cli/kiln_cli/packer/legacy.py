"""Packer's JSON templates: variables, builders, provisioners, post-processors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.json_text import parse_json
from kiln_cli.elsewhere.values import sounds_secret
from kiln_cli.packer.template import Build, Part, Template, concerns, for_build
from kiln_cli.packer.words import Words

# packer/template/parse.go of Packer 1.x knows these and no others, besides comments.
_KNOWN = (
    *("variables", "sensitive-variables", "builders", "provisioners", "post-processors"),
    *("description", "min_packer_version", "error-cleanup-provisioner"),
)
_MOST_PARTS = 500


def read_legacy(text: str, template: Template, given: Mapping[str, str]) -> None:
    """Add what a JSON template says. Raises InvalidRequest."""
    document = parse_json(text, "import its builders in parts")
    if isinstance(document, dict) and {"source", "build", "variable"} & document.keys():
        raise InvalidRequest("is HCL2 written as JSON; write it as HCL2")
    if not isinstance(document, dict) or not {"builders", "provisioners"} & document.keys():
        raise InvalidRequest("holds no builders; is it a template of Packer's?")
    for key in document:
        if key not in _KNOWN and not key.startswith("_"):
            raise InvalidRequest(f"{key[:60]}: is no key of a template of Packer's")
    words = _words(document, given)
    builders = list(_listed(document, "builders"))
    if not builders:
        raise InvalidRequest("builders: is empty; a blueprint needs one to be made from")
    if document.get("error-cleanup-provisioner"):
        template.notes.drop("the template", "error-cleanup-provisioner", _CLEANUP)
    for number, builder in enumerate(builders):
        template.builds.append(_build(number, builder, document, words))


_CLEANUP = "whatever a failed bake has made is removed by Kiln"


def _words(document: dict[str, Any], given: Mapping[str, str]) -> Words:
    variables = document.get("variables") or {}
    if not isinstance(variables, dict):
        raise InvalidRequest("variables: must be a mapping")
    hidden = document.get("sensitive-variables") or []
    listed = [name for name in hidden if isinstance(name, str)] if isinstance(hidden, list) else []
    secret = frozenset(listed) | {name for name in variables if sounds_secret(name)}
    return Words(given=variables | dict(given), secret=secret)


def _listed(document: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    found = document.get(key)
    if found is None:
        return
    if not isinstance(found, list):
        raise InvalidRequest(f"{key}: must be a list")
    if len(found) > _MOST_PARTS:
        raise InvalidRequest(f"{key}: there are more than {_MOST_PARTS}")
    for number, one in enumerate(found):
        if not isinstance(one, dict) or not isinstance(one.get("type"), str):
            raise InvalidRequest(f"{key}.{number}: must be a mapping with a type")
        yield one


def _build(number: int, builder: dict[str, Any], document: dict[str, Any], words: Words) -> Build:
    kind = builder["type"]
    called = builder.get("name")
    name = called if isinstance(called, str) and called else kind
    words.here = {"build_name": name, "build_type": kind, "template_dir": "."}
    about = f"builders.{number} ({kind[:40]})"
    source = Part(kind, _settings(builder, words), about)
    build = Build(id=name, name=name, source=source)
    for key, kept in (("provisioners", build.steps), ("post-processors", build.after)):
        for part in _parts(document, key):
            if concerns(part, build):
                own = for_build(part, build)
                kept.append(Part(own.kind, _settings(own.settings, words), own.about))
    return build


def _settings(part: dict[str, Any], words: Words) -> dict[str, Any]:
    known = {key: value for key, value in part.items() if key not in ("type", "name")}
    return {key: words.filled(value) for key, value in known.items()}


def _parts(document: dict[str, Any], key: str) -> Iterator[Part]:
    if key == "provisioners":
        for number, one in enumerate(_listed(document, key)):
            yield Part(one["type"], one, f"{key}.{number} ({one['type'][:40]})")
        return
    # A post-processor is its type alone, a mapping, or a list of either: one after the other.
    found = document.get(key) or []
    items = found if isinstance(found, list) else [found]
    flat = [one for item in items for one in (item if isinstance(item, list) else [item])]
    if len(flat) > _MOST_PARTS:
        raise InvalidRequest(f"{key}: there are more than {_MOST_PARTS}")
    for number, one in enumerate(flat):
        known = {"type": one} if isinstance(one, str) else one
        if not isinstance(known, dict) or not isinstance(known.get("type"), str):
            raise InvalidRequest(f"{key}.{number}: must be a type, or a mapping with one")
        yield Part(known["type"], known, f"{key}.{number} ({known['type'][:40]})")
