"""Running `kiln` inside a test's process, as a shell would see it."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

from kiln_cli.main import cli
from kiln_local.functions import Output


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> str:
        """The one line on stderr."""
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        return lines[0]


def run(*args: object) -> Ran:
    """Run a command line to its end."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    # What functions of a local AWS print meanwhile, in any thread, is none of the command's.
    with contextlib.redirect_stdout(Output(out)), contextlib.redirect_stderr(err):
        try:
            cli.main(args=[str(arg) for arg in args], prog_name="kiln")
        except SystemExit as ending:
            status = int(ending.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())
