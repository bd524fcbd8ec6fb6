"""Running the `aws` command inside a test's process, where it meets that one's local AWS."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import awscli
from awscli.clidriver import create_clidriver

from tests.kiln_command import Ran

_DATA = str(Path(awscli.__file__).parent / "data")


def aws(words: Sequence[str]) -> Ran:
    """Run a command line to its end."""
    out, err = io.StringIO(), io.StringIO()
    driver = create_clidriver()
    # All sessions of the process have one loader, which began without the command's own data.
    paths = driver.session.get_component("data_loader").search_paths
    if _DATA not in paths:
        paths.append(_DATA)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = int(driver.main(list(words)))
        except SystemExit as ending:
            status = int(ending.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())
