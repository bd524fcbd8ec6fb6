"""`make deploy`: who asks first, then build and deploy, then the doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from tests.stubs import scripted
from tools.deploy import NOBODY, main

ROOT = Path(__file__).parents[3]
ME = {"Arn": "arn:aws:iam::123456789012:user/ada", "Account": "123456789012", "UserId": "A"}


class Runs:
    """What was run; the command that begins so ends with another status."""

    def __init__(self, fails: str = "", status: int = 0) -> None:
        self.commands: list[list[str]] = []
        self._fails, self._status = fails, status

    def __call__(self, command: Sequence[str]) -> int:
        self.commands.append(list(command))
        return self._status if self._fails and command[0].endswith(self._fails) else 0


def deployed(runs: Runs, *words: str) -> int:
    """As somebody who is known."""
    with scripted("sts") as sts:
        sts.answer("get_caller_identity", ME)
        return main(words, lambda: sts.client, runs)


def test_it_builds_deploys_and_lets_the_doctor_look() -> None:
    runs = Runs()
    assert deployed(runs) == 0
    assert runs.commands == [
        ["tools/build.sh"],
        [".venv/bin/sam", "deploy", "--stack-name", "kiln"],
        [".venv/bin/kiln", "doctor", "--stack-name", "kiln"],
    ]


def test_stack_parameters_and_consent_are_passed_on() -> None:
    runs = Runs()
    words = ("--stack", "kiln-test", "--yes")
    deployed(runs, *words, "--parameters", "MaxBakes=20 BaseCheck='rate(2 hours)'")
    assert runs.commands[1] == [
        *(".venv/bin/sam", "deploy", "--stack-name", "kiln-test"),
        *("--parameter-overrides", "MaxBakes=20", "BaseCheck=rate(2 hours)"),
        "--no-confirm-changeset",
    ]


@pytest.mark.parametrize(("fails", "ran"), [("build.sh", 1), ("sam", 2)])
def test_what_fails_ends_it(fails: str, ran: int) -> None:
    runs = Runs(fails, 7)
    assert deployed(runs) == 7
    assert len(runs.commands) == ran


def test_what_the_doctor_finds_is_no_failure_of_the_deployment() -> None:
    assert deployed(Runs("kiln", 1)) == 0


def test_nobody_builds_or_deploys_anything(capsys: pytest.CaptureFixture[str]) -> None:
    def nobody() -> Any:
        raise NoCredentialsError

    runs = Runs()
    assert main((), nobody, runs) == NOBODY
    assert runs.commands == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "deploy: nothing was deployed: no credentials were found "
        "(Unable to locate credentials); mend: aws configure"
    )


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials were found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
    ],
    ids=["no credentials", "no AWS"],
)
def test_make_deploy_is_one_line_where_it_cannot_be(environment: dict[str, str], says: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tools.deploy"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
    )
    assert (ran.returncode, ran.stdout) == (NOBODY, "")
    (line,) = ran.stderr.splitlines()
    assert says in line
