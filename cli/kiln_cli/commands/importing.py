"""`kiln import`: blueprint and stack files from those of other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln_cli.elsewhere.imported import Imported

Function = Callable[..., Any]


def _to(kind: str) -> Callable[[Function], Function]:
    """Where files go."""
    return options.together(
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help=f"A .yaml file for one {kind}, or a folder for NAME.yaml of each; "
            "default: stdout.",
        ),
        click.option("--force", is_flag=True, help="Write over files that are there."),
    )


@click.group(epilog="Example: kiln import packer web.pkr.hcl -o blueprints")
def command() -> None:
    """Write blueprint and stack files from those of other tools.

    Nothing is asked of AWS, and nothing is run. What cannot be carried over is said on stderr,
    field by field, and stands at the head of the file.
    """


@command.command(
    "opsworks",
    epilog="Example: kiln import opsworks stacks.json layers.json instances.json -o stacks",
)
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@_to(kind="stack")
@click.option(
    "--platform",
    shell_complete=completing.platforms,
    help="For layers whose own platform cannot be told.",
)
@options.as_json
def opsworks(files: tuple[Path, ...], output: Path | None, **given: Any) -> int:
    """Write a stack file for each stack in saved `aws opsworks describe-...` output.

    FILEs are the JSON of describe-stacks, -layers, -instances and, where you have them, -apps,
    -elastic-load-balancers, -load-based-auto-scaling, -time-based-auto-scaling and -volumes, in any
    order. What cannot be carried over is said on stderr, field by field, and stands at the head of
    the file. Nothing is asked of AWS.
    """
    from kiln_cli.opsworks import convert, export

    stacks = convert.convert(export.read_export(files), _platform(given))
    return _write("stacks", stacks, output, given)


@command.command("packer", epilog="Example: kiln import packer web.pkr.hcl -o blueprints")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@_to(kind="blueprint")
@click.option(
    "--platform",
    shell_complete=completing.platforms,
    help="Of images whose own platform cannot be told.",
)
@click.option(
    "--var", "values", multiple=True, metavar="NAME=VALUE", help="Value of a variable; repeatable."
)
@options.as_json
def packer(files: tuple[Path, ...], output: Path | None, **given: Any) -> int:
    """Write a blueprint for each amazon builder of a Packer template.

    FILEs are one JSON template, or the .pkr.hcl and .pkrvars.hcl files of an HCL2 one. Variables,
    locals and most functions are worked out; what only a build knows is named with its place.
    Scripts and files beside the template go into the blueprint. The environment is not read.
    """
    from kiln_cli.packer import convert, reading

    values = dict(_pair(one) for one in given["values"])
    template = reading.read_template(files, values)
    return _write("blueprints", convert.convert(template, _platform(given)), output, given)


@command.command(
    "image-builder",
    epilog="Example: kiln import image-builder recipe.json component.yaml -o blueprints",
)
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@_to(kind="blueprint")
@click.option("--platform", help="Of images whose own platform cannot be told.")
@click.option(
    "--var",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a template's parameter; repeatable.",
)
@options.as_json
def image_builder(files: tuple[Path, ...], output: Path | None, **given: Any) -> int:
    """Write a blueprint for each recipe of EC2 Image Builder.

    FILEs are what `aws imagebuilder get-image-recipe`, get-component, get-image-pipeline,
    get-infrastructure-configuration, get-distribution-configuration and get-lifecycle-policy
    print, CloudFormation templates with AWS::ImageBuilder resources, and component documents, in
    any order. Components alone become one blueprint.
    """
    from kiln_cli.image_builder import convert, reading

    estate = reading.read_estate(files, dict(_pair(one) for one in given["values"]))
    return _write("blueprints", convert.convert(estate, _platform(given)), output, given)


def _pair(given: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not name or not sign:
        raise options.usage(f"--var: {given[:40]!r} is not of the form NAME=VALUE")
    return name, value


def _platform(given: dict[str, Any]) -> str | None:
    from kiln.domain.platforms import PLATFORMS

    platform: str | None = given["platform"]
    if platform and platform not in PLATFORMS:
        raise options.usage(f"--platform: {platform} is none of {', '.join(PLATFORMS)}")
    return platform


def _write(key: str, made: list[Imported], output: Path | None, given: dict[str, Any]) -> int:
    from kiln_cli.elsewhere import placing
    from kiln_cli.elsewhere.imported import shown
    from kiln_cli.printing import emit

    placed = placing.place(made, output, given["force"], given["as_json"])
    placing.tell(made)
    if given["as_json"]:
        rows = [
            shown(one) | {"file": str(path) if path else None}
            for one, path in zip(made, placed, strict=True)
        ]
        emit({key: rows})
    return 0
