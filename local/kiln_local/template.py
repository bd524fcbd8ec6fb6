"""Reads the project's template.yaml, has AWS's own translator expand it, and resolves its
references.

The expanded template is kept in a cache by its content: the translator costs a second to import.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from kiln_local.fastyaml import SafeLoader
from kiln_local.keeping import kept

_SHORT = (
    "Ref",
    "GetAtt",
    "Sub",
    "If",
    "Equals",
    "Not",
    "And",
    "Or",
    "Join",
    "Select",
    "Split",
    "FindInMap",
)
_LOCAL_CODE = {
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
# The managed policies that the translator adds by itself; it would ask IAM for them.
_MANAGED = {
    name: f"arn:aws:iam::aws:policy/{path}{name}"
    for name, path in (
        ("AWSLambdaBasicExecutionRole", "service-role/"),
        ("AWSXrayWriteOnlyAccess", ""),
    )
}


class TemplateError(Exception):
    """The template holds something that the local AWS cannot make; the text names it."""


class _Loader(SafeLoader):  # type: ignore[misc]
    """YAML with CloudFormation's short forms."""


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateError(f"{node.start_mark}: !{suffix} stands before something unknown")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short)


def read(path: Path) -> dict[str, Any]:
    """A template with its included files in place and its local code paths kept under
    `Metadata`."""
    template = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return dict(_include(template, path.parent))


def _include(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"Fn::Transform"} and value["Fn::Transform"]["Name"] == "AWS::Include":
            file = folder / value["Fn::Transform"]["Parameters"]["Location"]
            return yaml.load(file.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
        return {key: _include(part, folder) for key, part in value.items()}
    if isinstance(value, list):
        return [_include(part, folder) for part in value]
    return value


def local_paths(template: dict[str, Any]) -> dict[str, str]:
    """Where the code of each function, layer and state machine lies, by logical id."""
    found = {}
    for name, resource in template["Resources"].items():
        key = _LOCAL_CODE.get(resource["Type"])
        if key:
            found[name] = resource["Properties"][key]
    return found


def expand(template: dict[str, Any], region: str) -> dict[str, Any]:
    """The template after the SAM transform, from the cache if its content is there."""
    text = json.dumps(template, sort_keys=True, default=str)

    def make() -> bytes:
        return json.dumps(_translate(json.loads(text), region)).encode()

    return dict(json.loads(kept("templates", f"{region}\0{text}", make)))


def _translate(template: dict[str, Any], region: str) -> dict[str, Any]:
    import boto3
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    for name, resource in template["Resources"].items():
        key = _LOCAL_CODE.get(resource["Type"])
        if key:
            # The translator wants code to lie in S3; where it really lies is `local_paths`.
            resource["Properties"][key] = {"Bucket": "local", "Key": name}
    session = boto3.Session(region_name=region)
    translator = Translator(_MANAGED, Parser(), plugins=[], boto_session=session)
    expanded = translator.translate(template, {"AWS::Region": region})
    return dict(json.loads(json.dumps(expanded, default=str)))


class Resolver:
    """Resolves references of an expanded template. `known` maps logical ids to what was made,
    `parameters` names to values."""

    def __init__(
        self, template: dict[str, Any], parameters: dict[str, str], pseudo: dict[str, str]
    ) -> None:
        declared = template.get("Parameters", {})
        unknown = sorted(set(parameters) - set(declared))
        if unknown:
            raise TemplateError(f"{unknown[0]} is no parameter; known: {', '.join(declared)}")
        given = {name: str(spec.get("Default", "")) for name, spec in declared.items()} | parameters
        self.parameters = given
        self._values: dict[str, Any] = {**given, **pseudo}
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})
        self.known: dict[str, Made] = {}

    def condition(self, name: str) -> bool:
        """Whether a condition holds."""
        return bool(self.value(self._conditions[name]))

    def value(self, part: Any) -> Any:
        """A part of the template with everything resolved; what is AWS::NoValue is left out."""
        if isinstance(part, list):
            return [v for v in map(self.value, part) if v is not NO_VALUE]
        if not isinstance(part, dict):
            return part
        if len(part) == 1:
            ((key, argument),) = part.items()
            function = _FUNCTIONS.get(key)
            if function:
                return function(self, argument)
            if key.startswith("Fn::"):
                raise TemplateError(f"{key}: the local AWS does not know this function")
        found = {key: self.value(inner) for key, inner in part.items()}
        return {key: value for key, value in found.items() if value is not NO_VALUE}

    def outputs(self, template: dict[str, Any]) -> dict[str, str]:
        """The outputs of a template whose condition holds, once its resources are made."""
        return {
            name: str(self.value(output["Value"]))
            for name, output in template.get("Outputs", {}).items()
            if "Condition" not in output or self.condition(output["Condition"])
        }

    def ref(self, name: str) -> Any:
        """A parameter, a pseudo parameter, or a resource's physical id."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._values:
            return self._values[name]
        return self._made(name).ref

    def mapped(self, name: str, first: str, second: str) -> Any:
        """Fn::FindInMap."""
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise TemplateError(f"{name}.{first}.{second} is in no mapping") from error

    def attribute(self, name: str, attribute: str) -> Any:
        """A resource's attribute."""
        made = self._made(name)
        if attribute not in made.attributes:
            raise TemplateError(f"{name} has no attribute {attribute} in the local AWS")
        return made.attributes[attribute]

    def _made(self, name: str) -> Made:
        if name not in self.known:
            raise TemplateError(f"{name} is referred to and not made; does its condition hold?")
        return self.known[name]

    def sub(self, argument: Any) -> str:
        """Fn::Sub with or without its own variables."""
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        own = {key: self.value(value) for key, value in own.items()}
        pieces = text.split("${")
        result = [pieces[0]]
        for piece in pieces[1:]:
            name, _, rest = piece.partition("}")
            if name in own:
                value = own[name]
            elif "." in name:
                value = self.attribute(*name.split(".", 1))
            else:
                value = self.ref(name)
            result.append(f"{value}{rest}")
        return "".join(result)


class Made:
    """A resource that was made: what Ref gives, and its attributes."""

    def __init__(self, ref: str, **attributes: str) -> None:
        self.ref = ref
        self.attributes = attributes


NO_VALUE = object()
_FUNCTIONS: dict[str, Any] = {
    "Ref": lambda r, a: r.ref(a),
    "Fn::GetAtt": lambda r, a: r.attribute(*(a.split(".", 1) if isinstance(a, str) else a)),
    "Fn::Sub": lambda r, a: r.sub(a),
    "Fn::If": lambda r, a: r.value(a[1] if r.condition(a[0]) else a[2]),
    "Fn::Equals": lambda r, a: r.value(a[0]) == r.value(a[1]),
    "Fn::Not": lambda r, a: not r.value(a[0]),
    "Fn::And": lambda r, a: all(r.value(part) for part in a),
    "Fn::Or": lambda r, a: any(r.value(part) for part in a),
    "Condition": lambda r, a: r.condition(a),
    "Fn::Join": lambda r, a: a[0].join(str(v) for v in r.value(a[1])),
    "Fn::Select": lambda r, a: r.value(a[1])[int(r.value(a[0]))],
    "Fn::FindInMap": lambda r, a: r.mapped(*r.value(a)),
    "Fn::Split": lambda r, a: r.value(a[1]).split(a[0]),
}


def references(part: Any) -> set[str]:
    """Names that a part of a template refers to."""
    if isinstance(part, list):
        return set().union(*map(references, part)) if part else set()
    if not isinstance(part, dict):
        return set()
    found: set[str] = set()
    for key, value in part.items():
        if key == "Ref":
            found.add(value)
        elif key == "Fn::GetAtt":
            found.add(value.split(".")[0] if isinstance(value, str) else value[0])
        elif key == "Fn::Sub":
            text = value if isinstance(value, str) else value[0]
            found |= {piece.partition("}")[0].split(".")[0] for piece in text.split("${")[1:]}
            found |= references(value) if not isinstance(value, str) else set()
        else:
            found |= references(value)
    return found


def pseudo_parameters(stack: str, region: str, account: str) -> dict[str, str]:
    """CloudFormation's pseudo parameters (CloudFormation User Guide, "Pseudo parameters
    reference")."""
    return {
        "AWS::StackName": stack,
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/local",
    }
