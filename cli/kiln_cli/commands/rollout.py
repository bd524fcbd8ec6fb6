"""`kiln rollout`: bring an image to a layer, let one go on, say how one stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln.domain.rollout import Rollout
    from kiln_cli.opening import Opened


class Starting(click.Group):
    """Starts where no subcommand is named: `kiln rollout web shop/web` is `kiln rollout start web
    shop/web`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in that a user may leave out."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["start", *args]
        return super().parse_args(ctx, args)


no_wait = click.option("--no-wait", is_flag=True, help="End as soon as it has begun.")


@click.group(
    cls=Starting,
    options_metavar="",
    subcommand_metavar="[start] IMAGE|BLUEPRINT LAYER | approve LAYER | status LAYER",
    epilog="Example: kiln rollout al2023-web shop/web",
)
def command() -> None:
    """Bring an image to a layer; a rollout that fails leaves the layer as it was.

    LAYER is STACK/LAYER. For a blueprint that is called start, approve or status write
    `kiln rollout start`.
    """


@command.command(
    "start", epilog="Example: kiln rollout start al2023-web shop/web --strategy canary"
)
@click.argument("target", metavar="IMAGE|BLUEPRINT", shell_complete=completing.blueprint_names)
@click.argument("layer", shell_complete=completing.layers)
@click.option(
    "--strategy",
    type=click.Choice(["add", "replace", "canary"]),
    help="Default: the layer's for this blueprint, else replace.",
)
@click.option("--instances", type=click.IntRange(1, 1000), help="How many, with --strategy add.")
@click.option("--batch", metavar="N|P%", help="How many are replaced at a time.")
@click.option("--surge", metavar="N|P%", help="How many are started before one is stopped.")
@click.option("--bake-time", metavar="DURATION", help="How long a canary serves first, as 10m.")
@click.option("--force", is_flag=True, help="Let an older image replace a newer one.")
@options.together(no_wait, options.stack_name, options.as_json)
def start(target: str, layer: str, **given: Any) -> int:
    """Bring IMAGE, or the one that LAYER takes of BLUEPRINT, to LAYER, and wait for the end.

    That is the newest one, or what is in the channel that the layer is subscribed to.

    No instance changes its image: new ones take the place of the old ones.
    """
    from kiln_cli import rolling
    from kiln_cli.finding import find_layer
    from kiln_cli.opening import at_account
    from kiln_cli.taking import image_of

    at = at_account(given["stack_name"])
    world = at.place.world
    found = find_layer(layer, world)
    image = image_of(target, found, world)
    keys = ("instances", "batch", "surge", "bake_time")
    chosen = {key: _number(given[key]) for key in keys if given[key] is not None}
    wish = rolling.Wish(at.place.caller(), given["strategy"], chosen, given["force"])
    rollout = rolling.plan(image, found, wish, world)
    return begin(rollout, at, given["no_wait"], given["as_json"])


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def begin(rollout: Rollout, at: Opened, without_waiting: bool, as_json: bool) -> int:
    """Start a planned rollout and show how it ends."""
    from kiln_cli import rolling
    from kiln_cli.printing import progress

    world = at.place.world
    rolling.start(rollout, world)
    progress(rolling.announced(rollout, world))
    if not without_waiting:
        rollout = rolling.follow(rollout, world, at.pace)
    return show(rollout, at, as_json)


def show(rollout: Rollout, at: Opened, as_json: bool) -> int:
    """Print a rollout; 1 where it has ended without the layer having the image."""
    from kiln_cli import rolling
    from kiln_cli.printing import emit, progress, table

    world = at.place.world
    found = rolling.as_json(rollout, world)
    if as_json:
        emit({"rollout": found})
    else:
        table((), [("rollout", rollout.id), ("status", found["phase"])])
        rows = [(i["hostname"], i["ec2_id"], i["state"]) for i in found["instances"]]
        table(("HOSTNAME", "INSTANCE", "STATE"), rows)
    failed = rollout.status.value in ("FAILED", "SKIPPED")
    if rollout.cause:
        error = f"{rollout.error}: " if rollout.error else ""
        progress(f"kiln: {rollout.id}: {error}{' '.join(rollout.cause.split())}")
    return 1 if failed else 0


@command.command("approve", epilog="Example: kiln rollout approve shop/web")
@click.argument("layer", shell_complete=completing.layers)
@click.argument("image", required=False)
@options.together(options.stack_name, options.as_json)
def approve(layer: str, image: str | None, stack_name: str, as_json: bool) -> int:
    """Let the rollout of LAYER that waits for approval go on, the one of IMAGE where several do."""
    from kiln.steps._rollouts import approve as let_go_on
    from kiln_cli import rolling
    from kiln_cli.finding import find_layer
    from kiln_cli.place import account
    from kiln_cli.printing import emit

    place = account(stack_name)
    world = place.world
    waiting = rolling.waiting_for_approval(find_layer(layer, world), image, world)
    by = place.caller()
    let_go_on(waiting, by, world)
    if as_json:
        emit({"approved": waiting.id, "image": waiting.image, "layer": waiting.layer, "by": by})
    else:
        click.echo(f"{waiting.id}: approved")
    return 0


@command.command("status", epilog="Example: kiln rollout status shop/web --json")
@click.argument("layer", shell_complete=completing.layers)
@options.together(options.stack_name, options.as_json)
def status(layer: str, stack_name: str, as_json: bool) -> int:
    """Say which image LAYER runs, which it ran before, and how its rollouts stand or ended."""
    from kiln_cli import rolling
    from kiln_cli.finding import find_layer
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table

    world = account(stack_name).world
    found = find_layer(layer, world)
    images = world.records.layer_images(found.path)
    rows = [rolling.as_json(one, world) for one in world.records.rollouts_of(found.path)]
    if as_json:
        taken = [image.model_dump(mode="json") for image in images]
        current = images[-1].image if images else None
        emit({"layer": found.path, "image": current, "images": taken, "rollouts": rows})
        return 0
    click.echo(f"{found.path} runs {images[-1].image if images else 'no image yet'}")
    cells = [(r["id"], r["image"], r["strategy"], r["phase"], r["cause"]) for r in rows]
    table(("ROLLOUT", "IMAGE", "STRATEGY", "STATUS", "CAUSE"), cells)
    return 0
