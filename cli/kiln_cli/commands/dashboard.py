"""`kiln dashboard`: images, layers and bakes in a browser."""

from __future__ import annotations

import click

from kiln_cli import options


@click.command(epilog="Example: kiln dashboard --port 8080")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any that is free",
    help="Port of 127.0.0.1.",
)
@options.stack_name
@click.option("--json", "as_json", is_flag=True, help='Print {"address": URL}.')
def command(port: int, stack_name: str, as_json: bool) -> int:
    """Serve a page on 127.0.0.1 until it is interrupted: for reading, and for this machine alone.

    What runs now, what failed and why, which layer runs which image and what drifted, images by
    blueprint and age, what storing them costs. A bake's link is its report. For a local AWS that
    `kiln local up` serves, set AWS_ENDPOINT_URL.
    """
    from kiln_cli.local import ToldToEnd, port_problem
    from kiln_cli.pages.serving import serving
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress

    place = account(stack_name)
    try:
        with ToldToEnd() as ended, serving(place, port) as address:
            if as_json:
                emit({"address": address})
            else:
                click.echo(address)
                progress("Ctrl-C ends it")
            ended.wait()
    except OSError as error:
        raise options.usage(port_problem(port, error)) from error
    return 0
