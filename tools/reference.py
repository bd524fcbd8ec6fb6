"""Writes docs/reference/: the commands, the files, the states and the events, each made of what the
code itself says.

`python -m tools.reference` writes it, `--check` says whether it is fresh. docs/permissions.md and
docs/platforms.md are made in the same way (tools/permissions.py, tools/cleanup.py).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from kiln_cli.main import COMMANDS, cli
from tools.pages import keep

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "reference"
# Commands that go on until they are interrupted.
_SERVING = {"kiln dashboard", "kiln local", "kiln local up"}
_MADE = "Made of the code by `make tables`; edit that, never this page.\n"


# ------------------------------------------------------------ commands


def commands() -> str:
    """Every command with its usage, what it says of itself, its options and an example."""
    lines = ["# Commands\n", _MADE]
    lines.append("What their output means stands in [cli.md](../cli.md).\n")
    context = click.Context(cli, info_name="kiln")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        lines += _command(command, click.Context(command, parent=context, info_name=name))
    return "\n".join(lines)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    yield f"`{_usage(command, context)}`\n"
    yield f"{click.unstyle(_help(command))}\n"
    options = [p for p in command.params if isinstance(p, click.Option)]
    if options:
        yield "| option | |\n|---|---|"
        yield from (f"| `{_names(o, context)}` | {_cell(_told(o, context))} |" for o in options)
        yield ""
    example = (command.epilog or "").removeprefix("Example: ")
    kind = "sh serving" if context.command_path in _SERVING else "sh"
    yield f"```{kind}\n{example}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, click.Context(inner, parent=context, info_name=name))


def _usage(command: click.Command, context: click.Context) -> str:
    pieces = " ".join(command.collect_usage_pieces(context))
    return f"{context.command_path} {pieces}".strip()


def _help(command: click.Command) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.help or ""))


def _names(option: click.Option, context: click.Context) -> str:
    return (option.get_help_record(context) or ("", ""))[0].replace("|", "\\|")


def _told(option: click.Option, context: click.Context) -> str:
    return (option.get_help_record(context) or ("", ""))[1]


# ------------------------------------------------------------ files


def file(name: str) -> str:
    """The keys of a blueprint or of a stack file, by its JSON Schema."""
    schema = json.loads((ROOT / "schemas" / f"{name}.json").read_text())
    lines = [f"# The {name} file\n", _MADE]
    lines.append(f"Editors read the same as [schemas/{name}.json](../../schemas/{name}.json).\n")
    lines += _object(name, schema, schema["$defs"])
    for title, inner in sorted(schema["$defs"].items()):
        if "properties" in inner:
            lines += _object(title, inner, schema["$defs"])
    return "\n".join(lines)


def _object(title: str, schema: dict[str, Any], known: dict[str, Any]) -> Iterator[str]:
    yield f"## {title}\n"
    if schema.get("description"):
        yield f"{_prose(schema['description'])}\n"
    yield "| key | holds | default | |\n|---|---|---|---|"
    needed = schema.get("required", ())
    for key, value in schema["properties"].items():
        default = "needed" if key in needed else _code(value.get("default"))
        told = _cell(_prose(value.get("description", "")))
        yield f"| `{key}` | {_kind(value, known)} | {default} | {told} |"
    yield ""


def _kind(value: dict[str, Any], known: dict[str, Any]) -> str:
    """What a key may hold, in a cell."""
    if "$ref" in value:
        title = value["$ref"].rpartition("/")[2]
        if "properties" in known[title]:
            return f"[{title}](#{title.lower()})"
        return _kind(known[title], known)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    for key in ("anyOf", "oneOf"):
        if key in value:
            kinds = [_kind(one, known) for one in value[key] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}), known)}"
    return str(value.get("type", "anything")) + _limits(value)


def _limits(value: dict[str, Any]) -> str:
    if "pattern" in value:
        return f" `{_cell(value['pattern'])}`"
    words = {"minimum": "at least", "exclusiveMinimum": "over", "maximum": "at most"}
    told = [f"{word} {value[key]}" for key, word in words.items() if key in value]
    return f" ({', '.join(told)})" if told else ""


def _code(default: Any) -> str:
    if default in (None, "", [], {}) or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default)}`"


# ------------------------------------------------------------ states and events


def states() -> str:
    """Every state of every machine with what the comment above it says."""
    lines = ["# State machines\n", _MADE]
    for path in sorted((ROOT / "statemachine").glob("*.asl.yaml")):
        text = path.read_text()
        machine = yaml.safe_load(text)
        lines += [f"## {path.name.removesuffix('.asl.yaml')}\n", f"{machine['Comment']}.\n"]
        lines.append("| state | type | calls | then | on an error | |\n|---|---|---|---|---|---|")
        lines += _states(machine["States"], _comments(text))
        lines.append("")
    return "\n".join(lines)


def _states(found: dict[str, Any], comments: dict[str, str], above: str = "") -> Iterator[str]:
    for name, state in found.items():
        called = state.get("Arguments", {}).get("FunctionName", "")
        called = called.removeprefix("${").removesuffix("FunctionArn}")
        follow = [c["Next"] for c in state.get("Choices", ())]
        follow += [state[key] for key in ("Next", "Default") if key in state]
        caught = [c["Next"] for c in state.get("Catch", ())]
        cells = (
            *(f"{above}{name}", state["Type"], called, ", ".join(dict.fromkeys(follow))),
            *(", ".join(dict.fromkeys(caught)), _cell(comments.get(name, ""))),
        )
        yield "| " + " | ".join(cells) + " |"
        inner = state.get("ItemProcessor", {}).get("States", {})
        yield from _states(inner, comments, f"{above}{name} / ")


def _comments(text: str) -> dict[str, str]:
    """By state: what stands above it."""
    found: dict[str, str] = {}
    said: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("# "):
            said.append(line.strip().removeprefix("# "))
        elif state := re.fullmatch(r" +(\w+):", line):
            found[state[1]] = found.get(state[1]) or " ".join(said)
            said = []
        else:
            said = []
    return found


def events() -> str:
    """Every event on Kiln's bus."""
    lines = ["# Events\n", _MADE]
    lines.append(
        "On Kiln's own bus (output `BusName`), `source: kiln`. Ignore keys that you do not know: "
        "more may come. Schemas are in [schemas/events](../../schemas/events).\n"
    )
    parts: dict[str, Any] = {}
    for path in sorted((ROOT / "schemas" / "events").glob("*.json")):
        schema = json.loads(path.read_text())
        known = schema.get("$defs", {})
        lines += _object(schema["title"], schema["properties"]["detail"], known)
        parts |= {title: inner for title, inner in known.items() if "properties" in inner}
    for title, inner in sorted(parts.items()):
        lines += _object(title, inner, parts)
    return "\n".join(lines)


def _prose(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


PAGES = {
    "commands.md": commands,
    "blueprint.md": lambda: file("blueprint"),
    "stack.md": lambda: file("stack"),
    "states.md": states,
    "events.md": events,
}


def main(*arguments: str) -> int:
    """Write the pages, or check them; the status."""
    TARGET.mkdir(exist_ok=True)
    found = {TARGET / name: made().rstrip() + "\n" for name, made in PAGES.items()}
    return max(keep(path, text, "tools.reference", list(arguments)) for path, text in found.items())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
