"""What a shell completes, by running the completion as the shell does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kiln_cli.main import COMMANDS
from tests.kiln_command import run

ROOT = Path(__file__).parents[3]
_PATH = os.pathsep.join(str(ROOT / part) for part in ("layers/kiln", "cli", "local"))
_KILN = f"""#!{sys.executable}
from kiln_cli.main import main
main()
"""
# What bash does when a user presses the tabulator: the script's function, with the words so far.
_PRESSED = """
eval "$(kiln completion bash)"
COMP_WORDS=({words} "{begun}")
COMP_CWORD={at}
# Only within a completion of bash's own is there a compopt.
compopt() {{ echo "compopt" "$@"; }}
_kiln_completion kiln
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def kiln(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command, as PATH has it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "kiln").write_text(_KILN)
    (folder / "kiln").chmod(0o755)
    return folder


def environment(kiln: Path) -> dict[str, str]:
    """Where a shell finds the command, and the command its modules."""
    return os.environ | {"PATH": f"{kiln}:{os.environ['PATH']}", "PYTHONPATH": _PATH}


def pressed(kiln: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    *before, begun = words
    quoted = " ".join(["kiln", *before])
    script = _PRESSED.format(words=quoted, begun=begun, at=len(before) + 1)
    ran = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(kiln),
    )
    assert ran.stderr == ""
    return ran.stdout.split("\n")[:-1]


def test_bash_completes_a_command(kiln: Path) -> None:
    assert pressed(kiln, "ro") == ["rollout", "rollback"]


def test_bash_completes_a_subcommand_and_an_option(kiln: Path) -> None:
    assert pressed(kiln, "new", "") == ["blueprint", "stack"]
    assert pressed(kiln, "bake", "--lo") == ["--local"]


def test_bash_completes_platforms_blueprints_and_layers(kiln: Path) -> None:
    ubuntu = pressed(kiln, "new", "blueprint", "web", "--platform", "ubuntu-2")
    assert ubuntu == ["ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04"]
    assert pressed(kiln, "bake", "al") == ["al2023-web"]
    assert pressed(kiln, "rollback", "shop/") == ["shop/web", "shop/app"]


def test_bash_completes_files_itself(kiln: Path) -> None:
    assert pressed(kiln, "bake", "blueprints/al") == ["compopt -o default", ""]


@pytest.mark.parametrize(
    ("shell", "asked", "offered"),
    [
        # zsh: type, word and help, a line each. fish: the type, then the word and its help.
        ("zsh", {"COMP_WORDS": "kiln new", "COMP_CWORD": "1"}, "plain\nnew\n"),
        ("fish", {"COMP_WORDS": "kiln swe", "COMP_CWORD": "swe"}, "plain,sweep"),
    ],
)
def test_other_shells_ask_in_their_own_way(
    kiln: Path, shell: str, asked: dict[str, str], offered: str
) -> None:
    ran = subprocess.run(
        [str(kiln / "kiln")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(kiln) | asked | {"_KILN_COMPLETE": f"{shell}_complete"},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(shell: str) -> None:
    ran = run("completion", shell)
    assert ran.status == 0
    assert f"_KILN_COMPLETE={shell}_complete" in ran.stdout
    assert run("completion", shell, "--json").json["shell"] == shell
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=ran.stdout, text=True, check=True)


def test_every_command_can_be_completed(kiln: Path) -> None:
    assert set(pressed(kiln, "")) == set(COMMANDS)
