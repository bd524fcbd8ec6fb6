"""`kiln layers`: layers, what runs in them, and changes of it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options
from kiln_cli.commands.images import Listing
from kiln_cli.commands.recipes import deployments, recipes, run

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln_cli.changing import Outcome, Verb

no_wait = click.option("--no-wait", is_flag=True, help="End as soon as the changes have begun.")
layer = click.option("--layer", metavar="LAYER", help="All instances of the layer.")
of_layer = options.together(layer, no_wait, options.stack_name, options.as_json)


@click.group(
    cls=Listing,
    options_metavar="",
    subcommand_metavar="[list] | add | start | stop | reboot | delete | assign | run | ...",
    epilog="Example: kiln layers --json",
)
def command() -> None:
    """List layers and their instances, or change them by hand.

    A layer is STACK/LAYER. An instance is named by its hostname, its own id or its EC2 id, with its
    stack before it (shop/web1) where two stacks have one of that name.
    """


for _other in (run, recipes, deployments):
    command.add_command(_other)


@command.command("list", epilog="Example: kiln layers list --json")
@options.together(options.stack_name, options.as_json)
def listing(stack_name: str, as_json: bool) -> int:
    """List the layers of all stacks with their instances."""
    from kiln_cli.changing import troubles
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress, table
    from kiln_cli.standing import layers

    world = account(stack_name).world
    records, rows = world.records, layers(world)
    notes = []
    for stack in records.stacks():
        kept = {layer.name for layer in stack.layers if layer.kind == "instances"}
        notes += troubles(i for i in records.instances(stack.name) if i.layer in kept)
    if as_json:
        emit(rows)
        return 0
    cells = [line for row in rows for line in _lines(row)]
    table(("LAYER", "KIND", "PLATFORM", "INSTANCE", "HOSTNAME", "STATE", "IMAGE", "TAKES"), cells)
    for note in notes:
        progress(note)
    return 0


def _lines(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    head = (f"{row['stack']}/{row['layer']}", row["kind"], row["platform"])
    cells = ("ec2_id", "hostname", "state", "image")
    instances = row["instances"] or [dict.fromkeys(cells)]
    # Of a channel its name, for that is what decides; of each announced image the blueprint's.
    feeds = [f"{t['channel'] or 'each'} of {t['blueprint']} ({t['image']})" for t in row["takes"]]
    told = ", ".join(feeds) or None
    return [(*head, *(instance[cell] for cell in cells), told) for instance in instances]


# ------------------------------------------------------------ records


@command.command("add", epilog="Example: kiln layers add shop/web -n 2 --start")
@click.argument("layer", shell_complete=completing.layers)
@click.option(
    "-n", "--count", type=click.IntRange(1, 100), default=1, show_default=True, help="How many."
)
@click.option("--type", "instance_type", metavar="TYPE", help="Default: the layer's.")
@click.option(
    "--scaling",
    type=click.Choice(["always", "time", "load"]),
    default="always",
    show_default=True,
    help="Who starts and stops them: you, the hour, or the load.",
)
@click.option("--hours", metavar="FILE|JSON", help="UTC hours by day, with --scaling time.")
@click.option("--also-in", multiple=True, metavar="LAYER", help="A further layer; may be repeated.")
@click.option("--start", is_flag=True, help="Start them at once.")
@options.together(no_wait, options.stack_name, options.as_json)
def add(layer: str, stack_name: str, as_json: bool, **given: Any) -> int:
    """Write down new instances of LAYER; --start launches them.

    They are stopped, have the layer's image and hostnames of their own.
    """
    from kiln_cli import changing
    from kiln_cli.files import read_mapping
    from kiln_cli.finding import find_layer
    from kiln_cli.members import Wanted, add
    from kiln_cli.opening import at_account

    hours = read_mapping(given["hours"], "--hours") if given["hours"] else {}
    at = at_account(stack_name)
    found = find_layer(layer, at.place.world)
    if given["start"] and not at.place.world.records.layer_images(found.path):
        raise options.usage(
            f"{found.path} has no image yet; `kiln rollout IMAGE {found.path}` gives it one, or "
            "leave --start out"
        )
    wanted = Wanted(
        given["count"], given["instance_type"], given["scaling"], hours, given["also_in"]
    )
    entries = add(found, wanted, at.place.world)
    if not given["start"]:
        return _show(changing.not_awaited(entries), as_json)
    return _change(entries, "start", (at, given["no_wait"]), as_json)


@command.command("assign", epilog="Example: kiln layers assign web1 web cache")
@click.argument("instance")
@click.argument("layers", nargs=-1, required=True)
@options.together(options.stack_name, options.as_json)
def assign(instance: str, layers: tuple[str, ...], stack_name: str, as_json: bool) -> int:
    """Put INSTANCE into exactly these LAYERs, while it is stopped.

    The recipes of all of them run on it. The layer that it was made for stays the first.
    """
    from kiln_cli import changing, members
    from kiln_cli.finding import find_instances
    from kiln_cli.place import account
    from kiln_cli.printing import progress

    world = account(stack_name).world
    (entry,) = find_instances([instance], world)
    stack = world.records.stack(entry.stack)
    assert stack is not None
    written = members.assign(entry, stack, layers, world)
    if written.planned and written != entry:
        progress(f"{entry.hostname} stands in its stack file: change also_in there as well")
    return _show(changing.not_awaited([written]), as_json)


# ------------------------------------------------------------ changes


@command.command("start", epilog="Example: kiln layers start web1 web2")
@click.argument("instances", nargs=-1)
@of_layer
def start(instances: tuple[str, ...], **given: Any) -> int:
    """Start INSTANCEs: launch, Setup, Deploy, then Configure on all of the stack.

    An EBS root that was stopped starts again as it was; its image never changes.
    """
    return _by_hand(instances, "start", **given)


@command.command("stop", epilog="Example: kiln layers stop --layer shop/web")
@click.argument("instances", nargs=-1)
@of_layer
def stop(instances: tuple[str, ...], **given: Any) -> int:
    """Stop INSTANCEs: out of their target groups, drained, Shutdown, then EC2's stop."""
    return _by_hand(instances, "stop", **given)


@command.command("reboot", epilog="Example: kiln layers reboot web1")
@click.argument("instances", nargs=-1)
@of_layer
def reboot(instances: tuple[str, ...], **given: Any) -> int:
    """Reboot INSTANCEs from inside; no lifecycle event runs."""
    return _by_hand(instances, "reboot", **given)


@command.command("delete", epilog="Example: kiln layers delete web1")
@click.argument("instances", nargs=-1)
@of_layer
def delete(instances: tuple[str, ...], **given: Any) -> int:
    """Delete stopped INSTANCEs: the EC2 instance, its root and the record."""
    return _by_hand(instances, "delete", **given)


def _by_hand(instances: tuple[str, ...], verb: Verb, **given: Any) -> int:
    if bool(instances) == bool(given["layer"]):
        raise options.usage("name INSTANCEs, or a layer with --layer, and not both")
    from kiln_cli import finding
    from kiln_cli.opening import at_account

    at = at_account(given["stack_name"])
    world = at.place.world
    if given["layer"]:
        entries = finding.find_layer(given["layer"], world).members(world)
    else:
        entries = finding.find_instances(instances, world)
    return _change(entries, verb, (at, given["no_wait"]), given["as_json"])


def _change(
    entries: tuple[LayerInstance, ...], verb: Verb, how: tuple[Any, bool], as_json: bool
) -> int:
    from kiln_cli import changing

    at, without_waiting = how
    world = at.place.world
    changing.check_states(entries, verb, world)
    executions = changing.begin(entries, verb, world)
    if without_waiting:
        return _show(changing.not_awaited(entries), as_json)
    return _show(changing.follow(entries, executions, world, at.pace), as_json)


def _show(outcomes: list[Outcome], as_json: bool) -> int:
    from kiln_cli.changing import as_json as rows_of
    from kiln_cli.printing import emit, progress, table

    if as_json:
        emit(rows_of(outcomes))
    else:
        table(
            ("HOSTNAME", "INSTANCE", "STATE"),
            [(f"{o.stack}/{o.hostname}", o.ec2_id, o.state) for o in outcomes],
        )
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        progress(f"kiln: {outcome.hostname}: {outcome.error}: {' '.join(outcome.cause.split())}")
    return 1 if failed else 0
