"""`kiln images`: what Kiln has made."""

from __future__ import annotations

import click

from kiln_cli import options


@click.command(epilog="Example: kiln images al2023-web --json")
@click.argument("blueprint", required=False)
@options.together(options.stack_name, options.as_json)
def command(blueprint: str | None, stack_name: str, as_json: bool) -> int:
    """List the images of BLUEPRINT, or of all blueprints, oldest first."""
    from kiln.errors import InvalidBlueprint
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table

    records = account(stack_name).world.records
    names = records.blueprints()
    if blueprint and blueprint not in names:
        known = ", ".join(names) or "none"
        raise InvalidBlueprint(f"{blueprint}: no blueprint of that name is stored; stored: {known}")
    found = [
        image for name in ([blueprint] if blueprint else names) for image in records.images(name)
    ]
    found.sort(key=lambda image: image.created)
    if as_json:
        emit({"images": [image.model_dump(mode="json") for image in found]})
        return 0
    rows = [
        (i.id, i.name, i.blueprint, i.version, i.platform, f"{i.created:%Y-%m-%d %H:%M}")
        for i in found
    ]
    table(("IMAGE", "NAME", "BLUEPRINT", "VERSION", "PLATFORM", "CREATED"), rows)
    return 0
