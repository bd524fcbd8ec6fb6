"""shellcheck over every script that Kiln brings: in documents/, local/, tools/ and .ci/."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

DOCUMENTS = Path("documents")
FOLDERS = (Path("local"), Path("tools"), Path(".ci"))
SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
SHELLS = ("sh", "bash", "dash")


def scripts_of(document: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each shell step; the agent joins the items of `runCommand` with newlines."""
    for step in yaml.safe_load(document.read_text())["mainSteps"]:
        if step["action"] == "aws:runShellScript":
            lines = [str(line) for line in step["inputs"]["runCommand"]]
            yield f"{document.stem}.{step['name']}", "\n".join(lines)


def pasting_problems(name: str, script: str) -> Iterator[str]:
    """A parameter pasted into a script is code that the blueprint's author writes."""
    for number, line in enumerate(script.splitlines(), 1):
        if "{{" in line:
            yield f"{name}:{number}: parameters come through `environment` only: {line}"


def is_shell(path: Path) -> bool:
    """Whether a file is a script for a shell that shellcheck knows."""
    if path.suffix == ".sh":
        return True
    with path.open("rb") as file:
        first = file.readline(200).decode(errors="replace").strip()
    return first.startswith("#!") and first.split("/")[-1].split(" ")[-1] in SHELLS


def shell_files() -> list[Path]:
    """The script files of the repository."""
    paths = [path for folder in FOLDERS for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in paths if is_shell(path)]


def shellcheck(paths: list[Path]) -> str:
    """What shellcheck says; a file with no `#!` is read as sh, as the agent runs it."""
    by_dialect: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        dialect: tuple[str, ...] = () if path.read_text().startswith("#!") else ("--shell=sh",)
        by_dialect.setdefault(dialect, []).append(str(path))
    said = []
    for options, names in by_dialect.items():
        command = [SHELLCHECK, "--format=gcc", "--external-sources", *options, *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said.append(done.stdout + done.stderr)
    return "".join(said)


def main() -> int:
    """Write the documents' scripts to files, check them and all script files, print the rest."""
    documents = sorted(DOCUMENTS.glob("*.yaml"))
    scripts = [pair for document in documents for pair in scripts_of(document)]
    problems = [line for name, script in scripts for line in pasting_problems(name, script)]
    with tempfile.TemporaryDirectory() as folder:
        written = [Path(folder, name) for name, _ in scripts]
        for path, (_, script) in zip(written, scripts, strict=True):
            path.write_text(script)
        files = shell_files()
        problems += shellcheck([*written, *files]).replace(f"{folder}/", "").splitlines()
    if not scripts:
        problems.append(f"no script found in {DOCUMENTS}/")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"shellcheck: {len(scripts)} scripts in documents, {len(files)} script files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
