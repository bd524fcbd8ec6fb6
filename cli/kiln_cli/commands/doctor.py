"""`kiln doctor`: is all there that a bake needs?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.doctor.finding import Finding


@click.command(epilog="Example: kiln doctor --local")
@options.together(
    options.stack_name, options.local, options.speed, options.project, options.as_json
)
def command(as_json: bool, **given: Any) -> int:
    """Say what is wrong with the account, the Region and the deployed Kiln, and what mends it.

    Looks and changes nothing: credentials, Region, quotas, the stack and its version, the subnets'
    way to Systems Manager, instance profile, keys, release notices, dead letters, alarms, logs.
    Status 1: something is broken. 3: nothing is, as far as AWS said.
    """
    from importlib.metadata import version

    from kiln_cli.doctor.examining import examine
    from kiln_cli.doctor.finding import status_of
    from kiln_cli.printing import emit

    found = []
    with _session(given) as session:
        for finding in examine(session, given["stack_name"], version("kiln")):
            found.append(finding)
            if not as_json:
                _show(finding)
    status = status_of(found)
    if as_json:
        emit({"well": status == 0, "findings": [vars(finding) for finding in found]})
    else:
        click.echo(_sum(found))
    return status


@contextmanager
def _session(given: dict[str, Any]) -> Iterator[Any]:
    """What opens a session at the local AWS or the account of the environment."""
    if not given["local"]:
        import boto3

        yield boto3.Session
        return
    from kiln_cli.local import local_place
    from kiln_cli.project import project_root

    with local_place(given["project"] or project_root(), given["speed"]) as opened:
        yield lambda: opened.place.session


def _show(finding: Finding) -> None:
    from kiln_cli.printing import plain

    what = f"{finding.check} {finding.about}: {finding.what}"
    click.echo(plain(f"{finding.state:<8} {' '.join(what.split())}"))
    if finding.mend:
        click.echo(plain(f"{'':<8} mend: {finding.mend}"))


def _sum(found: list[Finding]) -> str:
    names = {"broken": "broken", "unknown": "not told by AWS", "note": "to know of", "well": "well"}
    counts = {word: sum(f.state == state for f in found) for state, word in names.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
