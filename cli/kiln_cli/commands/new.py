"""`kiln new`: a file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kiln_cli import completing, options

_platform = click.option(
    "--platform",
    default="amazon-linux-2023",
    show_default=True,
    shell_complete=completing.platforms,
    help="The operating system; docs/platforms.md lists them.",
)
_output = click.option(
    "-o", "--output", type=options.FILE, metavar="FILE", help="Where to write it."
)


@click.group(
    options_metavar="",
    subcommand_metavar="blueprint|stack",
    epilog="Example: kiln new blueprint web",
)
def command() -> None:
    """Write a blueprint or a stack to begin with. Nothing is written over."""


@command.command("blueprint", epilog="Example: kiln new blueprint web --platform ubuntu-24.04")
@click.argument("name")
@options.together(_platform, _output, options.as_json)
def new_blueprint(name: str, **given: Any) -> int:
    """Write blueprints/NAME.yaml: the newest public image of a platform, a step and a test.

    Its first line tells editors the schema; where the project has none, schemas/blueprint.json is
    written too. `kiln bake NAME --local` bakes it as it stands.
    """
    return _write("blueprint", name, given)


@command.command("stack", epilog="Example: kiln new stack shop --platform debian-12")
@click.argument("name")
@options.together(_platform, _output, options.as_json)
def new_stack(name: str, **given: Any) -> int:
    """Write stacks/NAME.yaml: a stack of one layer with recipes.

    Its first line tells editors the schema; where the project has none, schemas/stack.json is
    written too.
    """
    return _write("stack", name, given)


def _write(kind: str, name: str, given: dict[str, Any]) -> int:
    from kiln.domain.model import meant
    from kiln.domain.platforms import PLATFORMS
    from kiln_cli import beginning
    from kiln_cli.files import read_any
    from kiln_cli.printing import emit, progress

    platform = given["platform"]
    if platform not in PLATFORMS:
        nearest = meant(platform, PLATFORMS)
        known = ", ".join(PLATFORMS)
        raise options.usage(f"--platform: {platform} is not known; {nearest}allowed: {known}")
    _check_name(name)
    path = given["output"] or Path(beginning.FOLDERS[kind]) / f"{name}.yaml"
    beginning.check_free(path)
    schema = beginning.schema_for(path, kind)
    made = beginning.blueprint if kind == beginning.BLUEPRINT else beginning.stack
    beginning.write(path, made(name, platform, schema))
    # What we write ourselves must be what we take.
    read_any(path)
    if given["as_json"]:
        emit({"file": str(path), "schema": schema, "platform": platform})
    else:
        progress(f"wrote {path}, checked by {schema}")
    return 0


def _check_name(name: str) -> None:
    import re

    if not re.fullmatch(r"[a-z0-9-]{1,48}", name):
        raise options.usage(f"{name[:60]!r} is no name; allowed: a-z, 0-9 and -, at most 48")
