"""Build Kiln and deploy it to the account and Region of the environment: `make deploy`.

Who asks comes first: without credentials, or without a way to AWS, one line says so and what mends
it, before the minutes that a build takes. Then `sam build`, `sam deploy` with what samconfig.toml
says, and the doctor. Status 3: AWS refuses, or cannot be reached; otherwise that of the step that
failed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import boto3

from kiln_cli.doctor import credentials
from kiln_cli.place import FIRST_CALL

NOBODY = 3
Run = Callable[[Sequence[str]], int]


def main(words: Sequence[str], sts: Callable[[], Any], run: Run) -> int:
    """Deploy; `sts` makes the client that says who asks, `run` runs a command to its end."""
    given = _parsed(words)
    caller, finding = credentials.identify(sts, os.environ.get("AWS_PROFILE", ""))
    if caller is None:
        what = " ".join(finding.what.split())
        print(f"deploy: nothing was deployed: {what}; mend: {finding.mend}", file=sys.stderr)
        return NOBODY
    print(f"deploy: {given.stack} to account {caller.account} as {caller.arn}", file=sys.stderr)
    for command in (["tools/build.sh"], _deploy(given)):
        status = run(command)
        if status:
            return status
    # What it finds is the next thing to do, and no failure of this.
    run([".venv/bin/kiln", "doctor", "--stack-name", given.stack])
    return 0


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy")
    parser.add_argument("--stack", default="kiln", help="the CloudFormation stack")
    parser.add_argument("--parameters", default="", help="Name=Value ...; others stay as they are")
    parser.add_argument("--yes", action="store_true", help="do not ask before the change set runs")
    return parser.parse_args(words)


def _deploy(given: argparse.Namespace) -> list[str]:
    command = [".venv/bin/sam", "deploy", "--stack-name", given.stack]
    if given.parameters:
        command += ["--parameter-overrides", *shlex.split(given.parameters)]
    return [*command, "--no-confirm-changeset"] if given.yes else command


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lambda: boto3.Session().client("sts", config=FIRST_CALL), _run))
