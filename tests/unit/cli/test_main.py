from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kiln import errors
from kiln_cli.main import COMMANDS, cli, status_of
from tests.kiln_command import run

ROOT = Path(__file__).parents[3]


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, subcommands too."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield (name,), command
        for inner in command.commands if isinstance(command, click.Group) else ():
            yield (name, inner), command.commands[inner]


ALL = dict(commands())


@pytest.mark.parametrize("words", ALL, ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_says_what_it_does_and_ends_with_an_example(words: tuple[str, ...], flag: str) -> None:
    ran = run(*words, flag)
    assert (ran.status, ran.stderr) == (0, "")
    text = " ".join(ran.stdout.split())
    assert re.search(rf"Example: kiln {' '.join(words)} ?[^:]*$", text), text


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_can_speak_json(words: tuple[str, ...]) -> None:
    if not isinstance(ALL[words], click.Group):
        assert "--json" in run(*words, "-h").stdout


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_is_documented(words: tuple[str, ...]) -> None:
    assert f"## kiln {' '.join(words)}\n" in (ROOT / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_examples_of_the_help_parse(words: tuple[str, ...]) -> None:
    example = shlex.split((ALL[words].epilog or "").removeprefix("Example: kiln "))
    command, rest = ALL[words], example[len(words) :]
    if isinstance(command, click.Group):
        return
    assert example[: len(words)] == list(words)
    command.make_context(" ".join(words), rest)


# A terminal on half of a laptop's screen.
SCREEN = (80, 40)


def test_the_help_fits_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(SCREEN[0]))
    lines = run("--help").stdout.splitlines()
    assert len(lines) <= SCREEN[1]
    assert max(map(len, lines)) <= SCREEN[0]
    # One line each: what is said of a command has no second one.
    listed = lines[lines.index("Commands:") + 1 : lines.index("", lines.index("Commands:"))]
    assert [line.split()[0] for line in listed] == list(COMMANDS)


def test_help_loads_none_of_what_is_heavy() -> None:
    heavy = "boto3 botocore moto pydantic rich yaml hcl2 lark kiln_local"
    program = (
        "import sys; from kiln_cli.main import cli\n"
        "try: cli.main(args=['--help'])\n"
        "except SystemExit: pass\n"
        f"print([m for m in '{heavy}'.split() if m in sys.modules], file=sys.stderr)"
    )
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr.strip() == "[]"
    assert all(name in ran.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    "args",
    [
        ("bakee",),
        ("bake",),
        ("bake", "--nope", "x"),
        ("bake", "x", "--local", "--speed", "0"),
        ("bake", "x", "--local", "--speed", "fast"),
        ("bake", "x", "--local", "--no-wait"),
        ("bake", "no-such-name", "--local"),
        ("plan", "x", "--stack", "y.yaml"),
        ("local", "up", "--port", "70000"),
        ("local", "up"),
        ("layers", "start"),
        ("layers", "stop", "web1", "--layer", "shop/web"),
        ("layers", "run", "shop/web", "shutdown"),
        ("layers", "add", "shop/web", "--hours", "{"),
        ("layers", "run", "shop/web", "deploy", "--custom-json", "[1]"),
        ("rollout", "start", "web"),
        ("rollout", "web", "shop/web", "--strategy", "none"),
        ("import", "opsworks"),
        ("import", "opsworks", "gone.json"),
        ("import", "packer", "gone.json"),
        ("import", "packer", "gone.pkr.hcl"),
        ("import", "image-builder", "gone.yaml"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_line_and_status_2(args: tuple[str, ...]) -> None:
    ran = run(*args)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.error.startswith("kiln: ")


def test_wrong_use_with_json_is_one_object_too() -> None:
    ran = run("bake", "--json")
    assert ran.status == 2
    assert ran.json == {"error": "Usage", "message": ran.error.removeprefix("kiln: ")}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidBlueprint("x"), 2),
        (errors.IncompatibleBase("x"), 2),
        (errors.Unsupported("x"), 2),
        (errors.AwsRefused("ec2", "RunInstances", "UnauthorizedOperation", "no"), 3),
        (errors.AwsBusy("x"), 3),
        (errors.StepFailed("x"), 1),
        (errors.RolloutFailed("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_status_says_whose_fault_it_is(error: errors.KilnError, status: int) -> None:
    assert status_of(error) == status


def test_a_fault_of_kiln_is_one_line_without_a_traceback() -> None:
    program = "from kiln_cli import main\nmain.cli.main = lambda **_: 1 / 0\nmain.main()"
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("kiln: a fault of Kiln: ZeroDivisionError")
    assert len(ran.stderr.splitlines()) == 1
