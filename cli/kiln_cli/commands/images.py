"""`kiln images`: what Kiln has made, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln.domain.bake import ImageRecord
    from kiln.domain.place import ImagePlace


class Listing(click.Group):
    """Lists where no subcommand is named: `kiln images web` is `kiln images list web`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in that a user may leave out."""
        if not args or args[0] not in (*self.commands, "-h", "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=Listing,
    options_metavar="",
    subcommand_metavar="[list] [BLUEPRINT] | show IMAGE | diff A B",
    epilog="Example: kiln images al2023-web --json",
)
def command() -> None:
    """List the images that Kiln made, say where one comes from and runs, or how two differ."""


@command.command("list", epilog="Example: kiln images list al2023-web --json")
@click.argument("blueprint", required=False, shell_complete=completing.blueprint_names)
@click.option("--all", "every", is_flag=True, help="Those that were deleted everywhere, too.")
@options.together(options.stack_name, options.as_json)
def listing(blueprint: str | None, every: bool, stack_name: str, as_json: bool) -> int:
    """List the images of BLUEPRINT, or of all blueprints, oldest first.

    With --json each image is told with what it was made from, what was made from it, and what runs
    it in each Region; for the last AWS is asked.
    """
    from kiln.errors import InvalidBlueprint
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table

    world = account(stack_name).world
    records = world.records
    names = sorted({*world.versions.names(), *records.baked()})
    if blueprint and blueprint not in names:
        known = ", ".join(names) or "none"
        raise InvalidBlueprint(f"{blueprint}: no blueprint of that name is stored; stored: {known}")
    found = [
        image for name in ([blueprint] if blueprint else names) for image in records.images(name)
    ]
    found = sorted((i for i in found if every or i.retired is None), key=lambda i: i.created)
    if as_json:
        from kiln_cli.lineage import Lineage

        emit({"images": Lineage(world).told(found)})
        return 0
    places = {image.id: records.places(image.id) for image in found}
    rows = [
        (
            *(i.id, i.name, i.blueprint, i.version, i.platform),
            *(f"{i.created:%Y-%m-%d %H:%M}", _regions(i, places[i.id])),
        )
        for i in found
    ]
    table(("IMAGE", "NAME", "BLUEPRINT", "VERSION", "PLATFORM", "CREATED", "REGIONS"), rows)
    return 0


def _regions(image: ImageRecord, places: tuple[ImagePlace, ...]) -> str:
    """The Regions that an image is in; those where something is missing with what is."""
    named = (p.region + ("" if p.status == "available" else f" ({p.status})") for p in places)
    return ", ".join(named) or image.region


@command.command("show", epilog="Example: kiln images show ami-0123456789abcdef0")
@click.argument("image")
@options.together(options.stack_name, options.as_json)
def show(image: str, stack_name: str, as_json: bool) -> int:
    """Say what IMAGE was made from, what was made from it, where it is and what runs it.

    IMAGE is its id in any Region.
    """
    from kiln_cli.lineage import Lineage, lines
    from kiln_cli.place import account
    from kiln_cli.printing import emit, plain

    (found,) = Lineage(account(stack_name).world).of(image)
    if as_json:
        emit(found)
        return 0
    for line in lines(found):
        click.echo(plain(line))
    return 0


@command.command("diff", epilog="Example: kiln images diff al2023-web@1 al2023-web --json")
@click.argument("before", metavar="A", shell_complete=completing.blueprint_names)
@click.argument("after", metavar="B", shell_complete=completing.blueprint_names)
@options.together(options.stack_name, options.as_json)
def diff(before: str, after: str, stack_name: str, as_json: bool) -> int:
    """Say which packages image B has that A has not, and the other way round.

    A and B are image ids, BLUEPRINT for its newest image, or BLUEPRINT@N for the newest of its
    version N.
    """
    from kiln_cli.contents import compare
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress, table

    found = compare(before, after, account(stack_name).world)
    if as_json:
        emit(found.as_json())
        return 0
    for side in (found.before, found.after):
        progress(f"{side.record.id} ({side.record.name}): {len(side.manifest.packages)} packages")
    if rows := found.rows():
        table(("CHANGE", "KIND", "PACKAGE", "ARCHITECTURE", "A", "B"), rows)
    else:
        progress("no package differs")
    return 0
