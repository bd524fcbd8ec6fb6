"""State-machine lint: statelint's rules, the graph, every expression, every substitution."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonata
import yaml

from tools import state_graph

TEMPLATE = Path("template.yaml")
MACHINES = Path("statemachine")
# The States Language allows an expression there; statelint was written before it did.
WHOLE_NUMBER = re.compile(r"\.(Heartbeat)?Seconds is \"\{%.*%\}\" but should be an Integer$")
EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
SUBSTITUTION = re.compile(r"\$\{(\w+)\}")


class TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref`, `!GetAtt` ...) as their plain values."""


def _short_form(loader: TemplateLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


TemplateLoader.add_multi_constructor("!", _short_form)


def substitutions_of(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """The names that the template defines for each machine's file."""
    found: dict[str, set[str]] = {}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::StateMachine":
            found[properties["DefinitionUri"]] = set(properties.get("DefinitionSubstitutions", {}))
    return found


def statelint_problems(path: Path) -> Iterator[str]:
    """What statelint says, but for its FLOAT rule, as a whole BackoffRate is allowed, and for a
    heartbeat that is an expression."""
    command = [sys.executable, "-m", "statelint", "--yaml", "--ignore=FLOAT", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (line.strip() for line in done.stdout.splitlines()[1:])
        yield from (f"{path}: {line}" for line in said if not WHOLE_NUMBER.search(line))
        yield from (f"{path}: statelint: {line}" for line in done.stderr.splitlines())


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a parsed document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)


def expression_problems(machine: Any) -> Iterator[str]:
    """Expressions that are not JSONata, and text that looks like half of one."""
    for text in strings_in(machine):
        whole = EXPRESSION.fullmatch(text)
        if whole is None:
            if "{%" in text or "%}" in text:
                yield f"an expression must be the whole string: {text!r}"
            continue
        try:
            jsonata.Jsonata(whole[1])
        except jsonata.JException as error:
            yield f"not JSONata: {text!r}: {error}"


def substitution_problems(text: str, defined: set[str]) -> Iterator[str]:
    """Placeholders without a value, and values without a placeholder."""
    used = set(SUBSTITUTION.findall(text))
    for name in sorted(used - defined):
        yield f"${{{name}}} has no DefinitionSubstitutions entry"
    for name in sorted(defined - used):
        yield f"DefinitionSubstitutions defines {name}, which nothing uses"


def problems_of(path: Path, defined: set[str]) -> Iterator[str]:
    """Everything that is wrong with one machine's file."""
    text = path.read_text()
    machine = yaml.safe_load(text)
    yield from statelint_problems(path)
    if machine.get("QueryLanguage") != "JSONata":
        yield f"{path}: QueryLanguage must be JSONata"
    found = [
        *state_graph.problems(machine, path.name.partition(".")[0]),
        *expression_problems(machine),
        *substitution_problems(text, defined),
    ]
    yield from (f"{path}: {problem}" for problem in found)


def main() -> int:
    """Check every machine, and that template and folder name the same ones."""
    defined = substitutions_of(yaml.load(TEMPLATE.read_text(), TemplateLoader))  # noqa: S506
    paths = sorted(MACHINES.glob("*.asl.yaml"))
    found = [
        f"{TEMPLATE} and {MACHINES}/ name different machines: {name}"
        for name in sorted(set(defined) ^ {str(path) for path in paths})
    ]
    for path in paths:
        found += problems_of(path, defined.get(str(path), set()))
    for problem in found or ([] if paths else ["no state machine found"]):
        print(problem, file=sys.stderr)
    if found or not paths:
        return 1
    print(f"state machines: {len(paths)} checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
