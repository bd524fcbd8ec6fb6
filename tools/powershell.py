"""Every PowerShell script that Kiln brings: does it parse, and does the oldest PowerShell know it?

Windows Server brings Windows PowerShell, never PowerShell 7: 5.1 from 2016 on, 4.0 in 2012 R2. What
came later: Microsoft's "Differences between Windows PowerShell 5.1 and PowerShell 7.x" and the
pages "What's New in PowerShell" of 5.0 to 7.4. The grammar is tree-sitter's. Documents run on every
server, so they must do with 4.0; examples are for the server that they name, and do with 5.1.

    python -m tools.powershell [FILE...]     documents and blueprints (YAML), pages (.md), scripts
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree_sitter_powershell
import yaml
from tree_sitter import Language, Node, Parser

from tools.powershell_since import (
    COMMANDS,
    COMMON,
    NODES,
    OF_COMMANDS,
    TOKENS,
    TYPES,
    VALUES,
    VARIABLES,
)

_GRAMMAR = Language(tree_sitter_powershell.language())
_DOCUMENTS = 4.0
_EXAMPLES = 5.1

# Numbers that Windows PowerShell takes for a command: 0b1010, and the suffixes of small and of
# unsigned integers.
_NUMBERS = ((re.compile(r"0b[01]+"), 7.0), (re.compile(r"\d+(y|uy|s|us|u|ul)"), 6.2))
# A backtick and `e` are an `e` there, and `u{2713}` is `u{2713}`.
_ESCAPE = re.compile(r"(?<!`)(``)*`(e|u\{)")
# Names that a reader need not know, that a profile may change and that 7 has partly dropped.
_ALIASES = {
    *("?", "%", "cat", "cd", "copy", "cp", "curl", "del", "dir", "echo", "foreach", "gc", "gci"),
    *("gi", "gm", "gp", "iex", "irm", "iwr", "kill", "ls", "md", "mkdir", "move", "mv", "ni"),
    *("ps", "rd", "ren", "ri", "rm", "rmdir", "sal", "saps", "sc", "select", "set", "sleep"),
    *("sort", "sp", "start", "tee", "type", "wget", "where", "write"),
}


@dataclass(frozen=True)
class Script:
    """A script, where it stands, and the oldest PowerShell that has to run it."""

    name: str
    source: str
    floor: float


def problems(source: str, floor: float = _EXAMPLES) -> Iterator[tuple[int, str]]:
    """What is wrong with a script for PowerShell `floor`: line, and what."""
    for node in _walk(Parser(_GRAMMAR).parse(source.encode()).root_node):
        said = _unparsed(node) or _too_new(node, floor)
        if said:
            yield node.start_point[0] + 1, said


def _walk(node: Node) -> Iterator[Node]:
    yield node
    # Inside of what did not parse nothing means what it seems to.
    for child in () if node.type == "ERROR" else node.children:
        yield from _walk(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _unparsed(node: Node) -> str:
    if node.is_missing:
        return f"is no PowerShell: {node.type!r} is missing"
    if node.type == "ERROR":
        lines = _text(node).strip().splitlines()
        return f"is no PowerShell: {lines[0] if lines else 'a blank'}"
    return ""


def _too_new(node: Node, floor: float) -> str:
    if node.type == "command":
        return _command(node, floor)
    text = _text(node).lower()
    if node.type == "invokation_expression" and re.match(r"\[[\w.]+\]::new\(", text):
        return _since(text.partition("(")[0], 5.0, floor)
    if node.type in ("expandable_string_literal", "expandable_here_string_literal"):
        found = _ESCAPE.search(text)
        return _since(f"`{found[2]}", 6.0, floor) if found else ""
    if node.type == "range_expression" and re.fullmatch(r"'.'\s*\.\.\s*'.'", text):
        return _since(f"the range {text}", 6.0, floor)
    if node.type == "type_literal":
        name = text.strip("[]")
        known = next((v for t, v in TYPES.items() if f"{name}.".startswith(f"{t}.")), 0.0)
        return _since(text, known, floor)
    known = NODES.get(node.type, 0.0) if node.children else TOKENS.get(text, 0.0)
    if node.type == "variable":
        known = VARIABLES.get(text, 0.0)
    return _since(node.type if node.children else text, known, floor)


def _since(what: str, version: float, floor: float) -> str:
    return (
        f"{what} came with PowerShell {version}; {floor} has to run it" if version > floor else ""
    )


def _command(node: Node, floor: float) -> str:
    found = next((c for c in node.named_children if c.type == "command_name"), None)
    name = _text(found).lower() if found is not None else ""
    if name in _ALIASES:
        return f"{name} is an alias; write the command's own name"
    number = next((v for pattern, v in _NUMBERS if pattern.fullmatch(name)), 0.0)
    said = [_since(name, number or COMMANDS.get(name, 0.0), floor)]
    words = list(_words(node))
    if name == "join-path" and len(words) > 2 and not any(w.startswith("-") for w in words):
        said.append(_since("join-path with more than two parts", 6.0, floor))
    known = {**VALUES, **COMMON, **OF_COMMANDS.get(name, {})}
    for word in words:
        said.append(_since(f"{name} {word}", known.get(word.rstrip(":").strip("'\""), 0.0), floor))
    return next((text for text in said if text), "")


def _words(node: Node) -> Iterator[str]:
    """The arguments of a command; those that are expressions are one word each."""
    elements = next((c for c in node.named_children if c.type == "command_elements"), None)
    for element in elements.named_children if elements else ():
        text = _text(element).lower()
        if element.type == "command_argument_sep" or re.match(r"[\d*]?>", text):
            continue
        # `-Encoding:utf8` is one word to PowerShell and two to a reader.
        yield from text.replace(":", ": ").split() if text.startswith("-") else [text]


def scripts(path: Path) -> Iterator[Script]:
    """The PowerShell of a file: a script, or what a document, a blueprint or a page holds."""
    if path.suffix == ".ps1":
        yield Script(path.name, path.read_text(), _EXAMPLES)
    elif path.suffix == ".md":
        for found in re.finditer(
            r"^```(\w+)\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE
        ):
            yield from _example(path, found[1], found[2])
    else:
        yield from _steps(path.name, yaml.safe_load(path.read_text()))


def _example(path: Path, language: str, text: str) -> Iterator[Script]:
    if language == "powershell":
        yield Script(path.name, text, _EXAMPLES)
    elif language == "yaml":
        yield from _steps(path.name, yaml.safe_load(text))


def _steps(name: str, content: Any) -> Iterator[Script]:
    """Steps of a document (`runCommand`) or a blueprint (`powershell`), however deep."""
    if isinstance(content, list):
        for item in content:
            yield from _steps(name, item)
    if not isinstance(content, dict):
        return
    if content.get("action") == "aws:runPowerShellScript":
        source = "\n".join(content["inputs"]["runCommand"])
        yield Script(f"{name} {content['name']}", source, _DOCUMENTS)
    elif isinstance(content.get("powershell"), str):
        yield Script(f"{name} {content.get('name', '')}", content["powershell"], _EXAMPLES)
    else:
        for item in content.values():
            yield from _steps(name, item)


def files() -> list[Path]:
    """Every file that may hold PowerShell."""
    places = ("documents/*.yaml", "blueprints/*.yaml", "docs/**/*.md", "README.md", "**/*.ps1")
    return [path for place in places for path in sorted(Path().glob(place)) if _ours(path)]


def _ours(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.parts)


def main(names: list[str]) -> int:
    """Print every problem; 1 if there is any."""
    found = [script for path in map(Path, names) for script in scripts(path)]
    found = found or [script for path in files() for script in scripts(path)]
    said = [
        f"{script.name}:{line}: {text}"
        for script in found
        for line, text in problems(script.source, script.floor)
    ]
    print(*said, f"powershell: {len(found)} scripts", sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
