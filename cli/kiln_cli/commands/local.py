"""`kiln local up`: the local AWS for other clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kiln_cli import options


@click.group(epilog="Example: kiln local up --port 4566")
def command() -> None:
    """The local AWS: the whole template on this machine, without an account."""


@command.command(
    "up",
    epilog="Example: kiln local up --port 4566 --apply stacks/shop.yaml",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), required=True, help="Port of 127.0.0.1; 0: any."
)
@click.option(
    "--apply",
    "files",
    multiple=True,
    type=options.FILE,
    metavar="FILE",
    help="Blueprint or stack to store first; may be repeated.",
)
@options.together(options.speed, options.project, options.faults, options.throttle)
@click.option(
    "--functions",
    type=click.Choice(["process", "emulator"]),
    default="process",
    show_default=True,
    help="Where functions run: here, or under AWS's emulator (`make emulator`; needs --speed 1).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (it always does).")
def up(port: int, files: tuple[Path, ...], **given: Any) -> int:
    """Serve the local AWS until it is interrupted.

    Prints one line of JSON when it is ready: endpoint, state_machines, table, bus, bucket. Any
    client can use it: the aws command, boto3, kiln itself by AWS_ENDPOINT_URL. Of --faults each
    that acts is a line on stderr.
    """
    from kiln_cli.applying import apply_signed
    from kiln_cli.files import read_any
    from kiln_cli.local import Trouble, port_problem, served
    from kiln_cli.project import project_root

    read = [read_any(path) for path in files]
    root = given["project"] or project_root()
    try:
        trouble = Trouble(given["faults"], given["throttle"])
        emulator = given["functions"] == "emulator"
        with served(root, given["speed"], port, trouble, emulator) as local:
            for file in read:
                apply_signed(file, local.place)
            click.echo(json.dumps(_ready(local)))
            local.wait()
    except OSError as error:
        raise options.usage(port_problem(port, error)) from error
    return 0


def _ready(local: Any) -> dict[str, Any]:
    outputs = local.place.outputs
    return {
        "endpoint": local.endpoint,
        "state_machines": {
            "Bake": outputs["BakeStateMachineArn"],
            "Rollout": outputs["RolloutStateMachineArn"],
        },
        "table": outputs["TableName"],
        "bus": outputs["BusName"],
        "bucket": outputs["BucketName"],
    }
