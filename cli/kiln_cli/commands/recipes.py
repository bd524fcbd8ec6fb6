"""`kiln layers run`, `recipes`, `deployments`: recipes of layers, run by hand or looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.deploying import Deployed


@click.command("run", epilog="Example: kiln layers run shop/web deploy --custom-json revision.json")
@click.argument("target", metavar="LAYER|INSTANCE")
@click.argument("event", type=click.Choice(["setup", "configure", "deploy", "undeploy"]))
@click.option(
    "--custom-json", "custom", metavar="FILE|JSON", help="Over that of the layers and the stack."
)
@click.option("--no-wait", is_flag=True, help="End as soon as it has begun.")
@options.together(options.stack_name, options.as_json)
def run(target: str, event: str, custom: str | None, **given: Any) -> int:
    """Run a lifecycle EVENT on the online instances of LAYER, or on INSTANCE.

    Setup takes an instance out of service while it runs, and ends with Deploy; the others leave it
    there. A setup that had failed may be run again on its instance.
    """
    from kiln_cli import deploying
    from kiln_cli.files import read_mapping
    from kiln_cli.opening import at_account
    from kiln_cli.printing import progress

    custom_json = read_mapping(custom, "--custom-json") if custom else {}
    at = at_account(given["stack_name"])
    world = at.place.world
    entries = deploying.targets(target, event, world)
    asked = deploying.Asked(event, custom_json, at.place.caller())
    deployment, executions = deploying.begin(entries, asked, world)
    progress(f"{event} {deployment.id} has begun on {len(entries)} instance(s)")
    if given["no_wait"]:
        return show(deploying.gathered(deployment, world), given["as_json"])
    done = deploying.finish(entries, deployment, executions, (world, at.pace))
    return show(done, given["as_json"])


@click.command("deployments", epilog="Example: kiln layers deployments shop --json")
@click.argument("stack")
@click.argument("deployment", required=False)
@options.together(options.stack_name, options.as_json)
def deployments(stack: str, deployment: str | None, stack_name: str, as_json: bool) -> int:
    """List what was run by hand in STACK, or show one DEPLOYMENT by the beginning of its id."""
    from kiln.errors import InvalidRequest
    from kiln_cli.deploying import gathered
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table

    world = account(stack_name).world
    if world.records.stack(stack) is None:
        raise InvalidRequest(f"stack {stack} does not exist; `kiln layers` lists what there is")
    kept = [d for d in world.deployments.all_of(stack) if d.id.startswith(deployment or "")]
    found = [gathered(one, world) for one in kept]
    if deployment:
        if len(found) != 1:
            how = "several deployments begin so" if found else "no deployment begins so"
            raise InvalidRequest(f"{deployment}: {how}; `kiln layers deployments {stack}`")
        return show(found[0], as_json)
    if as_json:
        emit({"deployments": [one.as_json() for one in found]})
        return 0
    rows = [(d.deployment.id, d.deployment.command, d.deployment.at, d.status) for d in found]
    table(("DEPLOYMENT", "COMMAND", "AT", "STATUS"), rows)
    return 0


def show(deployed: Deployed, as_json: bool) -> int:
    """Print a deployment; 1 where it has failed."""
    from kiln_cli.printing import emit, plain, progress

    if as_json:
        emit(deployed.as_json())
    else:
        deployment = deployed.deployment
        click.echo(f"{deployment.command} {deployment.id}: {deployed.status}")
        for command in deployed.commands:
            click.echo(f"{command.hostname or command.instance}: {command.status.value}")
            for line in plain(command.log).splitlines():
                click.echo(f"  | {line}")
    for command in deployed.commands:
        if command.error:
            cause = " ".join(plain(command.cause).split())
            progress(f"kiln: {command.hostname or command.instance}: {command.error}: {cause}")
    return 1 if deployed.failed else 0


@click.command("recipes", epilog="Example: kiln layers recipes shop/web --json")
@click.argument("layer")
@options.together(options.stack_name, options.as_json)
def recipes(layer: str, stack_name: str, as_json: bool) -> int:
    """List which recipes each lifecycle event runs on LAYER, in order, and the file behind each."""
    from kiln_cli.finding import find_layer
    from kiln_cli.place import account
    from kiln_cli.planned_recipes import recipe_rows, source_of
    from kiln_cli.printing import emit, progress, table

    found = find_layer(layer, account(stack_name).world)
    rows = recipe_rows(found.layer)
    if as_json:
        source = source_of(found.layer)
        runner = found.layer.runner
        emit({"layer": found.path, "runner": runner, "source": source, "recipes": rows})
        return 0
    if not rows:
        progress(f"{found.path} runs no recipe at any event")
    table(("EVENT", "RECIPE", "FILE"), [(r["event"], r["recipe"], r["file"] or "-") for r in rows])
    return 0
