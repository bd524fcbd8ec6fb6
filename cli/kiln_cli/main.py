"""`kiln`: the commands by name, and how each of them ends.

Exit status: 0 done, 1 the bake or rollout failed, 2 wrong use or invalid input, 3 AWS refused. An
error is one line on stderr; with --json it is also one object, {"error", "message"}, on stdout.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import sys
import threading
from io import TextIOWrapper
from types import TracebackType
from typing import Any

import click

from kiln.errors import AwsBusy, AwsRefused, InvalidBlueprint, KilnError, Refused
from kiln_cli.printing import plain

DONE, FAILED, WRONG, AWS_REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

# The one list of commands: `kiln -h` prints it without importing any of them.
COMMANDS = {
    "new": "Write a blueprint or a stack to begin with.",
    "doctor": "Say what is wrong with account and deployment.",
    "validate": "Check blueprint and stack files; ask nobody.",
    "plan": "Say what a bake would do, launch nothing.",
    "bake": "Make an image from a blueprint.",
    "status": "Say how bakes stand.",
    "watch": "Show bakes and rollouts while they run.",
    "report": "Write what is known of a bake into one HTML file.",
    "dashboard": "Show images, layers and bakes in a browser.",
    "blueprints": "List blueprints and their versions, pause and resume rebuilds.",
    "images": "List the images that Kiln made.",
    "promote": "Let an image into a channel: dev, staging, prod.",
    "distribute": "Bring an image to the Regions where it is missing.",
    "prune": "Take images out of use that have had their time.",
    "layers": "List layers and their instances, change them by hand.",
    "rollout": "Bring an image to a layer.",
    "rollback": "Bring a layer back to the image before.",
    "apply": "Show how blueprints and stacks differ, then store them.",
    "sweep": "Remove what bakes have left behind.",
    "dlq": "Show events that could not be delivered, send them again.",
    "import": "Write files from those of OpsWorks, Packer, Image Builder.",
    "local": "Run the local AWS for other clients.",
    "completion": "Let a shell complete our words.",
}


class Kiln(click.Group):
    """Imports a command when it is used, and turns errors into one line and a status."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of a user's day."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        # A module cannot be called as Python's own word is.
        name = {"import": "importing"}.get(cmd_name, cmd_name)
        module = importlib.import_module(f"kiln_cli.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without the modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end with a status instead of an exception."""
        given = kwargs.get("args", args[0] if args else None)
        wants_json = "--json" in (sys.argv[1:] if given is None else given)
        kwargs["standalone_mode"] = False
        try:
            result = super().main(*args, **kwargs)
        except (click.exceptions.Abort, KeyboardInterrupt):
            click.echo("kiln: interrupted", err=True)
            sys.exit(INTERRUPTED)
        except click.ClickException as error:
            _end(error.format_message(), _usage_name(error), error.exit_code, wants_json)
        except KilnError as error:
            _end(str(error), type(error).__name__, status_of(error), wants_json)
        except OSError as error:
            sys.exit(_io_status(error))
        sys.exit(result if isinstance(result, int) else DONE)


def status_of(error: KilnError) -> int:
    """The exit status that an error means."""
    if isinstance(error, Refused):
        return WRONG
    return AWS_REFUSED if isinstance(error, AwsRefused | AwsBusy) else FAILED


def _usage_name(error: click.ClickException) -> str:
    return "Usage" if isinstance(error, click.UsageError) else InvalidBlueprint.__name__


def _end(message: str, name: str, status: int, wants_json: bool) -> None:
    message = " ".join(message.split())
    click.echo(f"kiln: {plain(message)}", err=True)
    if wants_json:
        click.echo(json.dumps({"error": name, "message": message}))
    sys.exit(status)


def _io_status(error: OSError) -> int:
    if error.errno != errno.EPIPE:
        click.echo(f"kiln: {error.strerror or error}", err=True)
        return FAILED
    # The reader of our output has gone (`kiln images | head -1`): nothing more to say, to nobody.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


@click.command(
    cls=Kiln,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: kiln bake blueprints/al2023-web.yaml --local",
)
@click.version_option(package_name="kiln", prog_name="kiln", message="%(prog)s %(version)s")
def cli() -> None:
    """Bake golden machine images and put them to work.

    Data goes to stdout, progress to stderr. Exit status: 0 done, 1 the bake or rollout failed,
    2 wrong use or invalid input, 3 AWS refused.
    """


def main() -> None:
    """The console script. A fault of Kiln itself is one line too."""
    sys.excepthook = _fault
    threading.excepthook = _fault_of_a_thread
    # A step's output may hold what the terminal's encoding cannot say.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="kiln")


def _fault(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    if os.environ.get("KILN_TRACEBACK"):
        sys.__excepthook__(kind, value, trace)
        return
    text = plain(" ".join(f"{kind.__name__}: {value}".split()))
    click.echo(f"kiln: a fault of Kiln: {text} (KILN_TRACEBACK=1 shows where)", err=True)


def _fault_of_a_thread(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_value is not None:
        _fault(fault.exc_type, fault.exc_value, fault.exc_traceback)
