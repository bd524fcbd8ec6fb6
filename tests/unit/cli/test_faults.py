"""`--faults` and `--throttle`: what is refused before anything starts, and how a result tells of
them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiln_cli.summary import show
from tests.kiln_command import run
from tests.unit.cli.test_result import a_result

ROOT = Path(__file__).parents[3]
WEB = ROOT / "blueprints" / "al2023-web.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; it needs a list of faults"),
        ("- {service: ec2, operation: RunInstance, drop: true}", "did you mean RunInstances?"),
        ('[{"service": "ec2", "operation": "RunInstances"}]', "faults.0: it does nothing; give"),
        ("- {service: ec2, service: s3}", "the key 'service' is given twice"),
        ("- [", "line 1, column 4: is not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_and_starts_nothing(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    ran = run("bake", WEB, "--local", "--faults", path)
    assert ran.status == 2
    assert ran.error.startswith(f"kiln: {path}: ")
    assert said in ran.error


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = run("bake", WEB, "--local", "--faults", tmp_path / "no.yaml")
    assert (ran.status, ran.error) == (2, f"kiln: {tmp_path}/no.yaml: does not exist")


@pytest.mark.parametrize("option", [("--throttle",), ("--faults", "faults.yaml")])
def test_an_account_has_faults_of_its_own(option: tuple[str, ...]) -> None:
    ran = run("bake", "web", *option)
    assert ran.status == 2
    assert "--faults and --throttle need --local" in ran.error


FIRED = {
    "at_s": 12.5,
    "operation": "ec2/RunInstances",
    "function": "launch_builder",
    "machine": "bake",
    "state": "LaunchBuilder",
    "execution": "web-1",
}


def test_a_result_says_which_faults_acted_and_which_never_did(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        {"fault": "ec2/RunInstances, nth 1: drop", "seen": 3, "fired": [FIRED]},
        {"fault": "ec2/StopInstances, nth 9: drop", "seen": 1, "fired": []},
        {"fault": "ec2/*, nth 1: drop", "seen": 2, "fired": [FIRED, FIRED]},
    ]
    result = a_result(faults=rows, throttled={"ec2:RunInstances": 2})
    show(result)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["throttled", "ec2:RunInstances", "2"] in lines
    told = [" ".join(line) for line in lines[-3:]]
    assert told == [
        "ec2/RunInstances, nth 1: drop 3 once launch_builder LaunchBuilder",
        "ec2/StopInstances, nth 9: drop 1 never -",
        "ec2/*, nth 1: drop 2 2 times launch_builder LaunchBuilder",
    ]
    assert result.as_json()["faults"][0]["fired"] == [FIRED]
    assert a_result().as_json()["throttled"] is None
