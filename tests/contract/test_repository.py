"""What must hold of the repository as a whole: what it may name, and that its parts agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_APP_LINES = 25

# Put together here, so that this file does not contain what it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
MACHINE_PATHS = re.compile(r"(?<![\w.$}*])/(work|Users)" + "/")
LOCK_FILES_WITH_ADDRESSES = {"uv.lock", "poetry.lock", "pdm.lock", "package-lock.json"}

FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def lines_of_tracked_files() -> Iterator[tuple[str, str]]:
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def modules_imported_by(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_no_tracked_file_names_a_package_registry() -> None:
    found = [
        where
        for where, line in lines_of_tracked_files()
        if any(host in line for host in REGISTRY_HOSTS)
    ]
    assert found == []


def test_no_tracked_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    found = [where for where, line in lines_of_tracked_files() if MACHINE_PATHS.search(line)]
    assert found == []


def test_no_lock_file_records_download_addresses() -> None:
    assert {path.name for path in tracked_files()} & LOCK_FILES_WITH_ADDRESSES == set()


PINS = [
    "layers/deps/requirements.txt",
    *sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").glob("*.txt")),
]


@pytest.mark.parametrize("pins", PINS)
def test_every_pin_names_one_version_and_its_hashes(pins: str) -> None:
    entries = re.split(r"\n(?=[\w-])", (ROOT / pins).read_text().strip())
    entry = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==[^ ;\\]+( ; [^\\]+)? \\\n( +--hash=sha256:[0-9a-f]{64}.*\n?)+"
    )
    assert [found.splitlines()[0] for found in entries if not entry.match(found)] == []
    assert entries


def test_what_we_ask_for_is_pinned_beside_it() -> None:
    asked = {f"requirements/{path.stem}" for path in (ROOT / "requirements").glob("*.in")}
    pinned = {pins.removesuffix(".txt") for pins in PINS}
    assert asked - {"requirements/layer"} == pinned - {"layers/deps/requirements"}


def test_whatever_installs_packages_asks_for_their_hashes() -> None:
    # What compiles the pins goes to a folder that is thrown away; what it writes is looked at.
    installs = [
        f"{where}: {line.strip()}"
        for where, line in lines_of_tracked_files()
        if where.startswith(("Makefile", "tools/", ".ci/")) and re.search(r"pip\S* install ", line)
        if "--require-hashes" not in line and not where.startswith("tools/pins.sh")
    ]
    assert [one for one in installs if "--no-index" not in one] == []


def test_the_layer_runs_the_versions_that_the_tests_ran() -> None:
    pin = re.compile(r"^([\w.-]+==[^ ;\\]+)", re.MULTILINE)
    tested = set(pin.findall((ROOT / "requirements/dev.txt").read_text()))
    shipped = set(pin.findall((ROOT / "layers/deps/requirements.txt").read_text()))
    assert shipped
    assert shipped <= tested


def test_the_licence_is_apache_2_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_says_what_is_unreleased() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_a_document_exists(document: str) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", (ROOT / document).read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


def test_there_are_functions_to_look_at() -> None:
    assert FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_one_thin_module(function: str) -> None:
    files = [path for path in tracked_files() if path.is_relative_to(ROOT / "functions" / function)]
    source = (ROOT / "functions" / function / "app.py").read_text()
    assert [path.name for path in files] == ["app.py"]
    assert len(source.splitlines()) <= MOST_APP_LINES
    assert ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_the_runtime_and_its_own_step(function: str) -> None:
    source = (ROOT / "functions" / function / "app.py").read_text()
    assert modules_imported_by(source) <= {"kiln.runtime", f"kiln.steps.{function}"}


def test_every_module_of_the_package_lies_in_a_room() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    rooms = {contract["room"] for contract in contracts if contract["type"] == "only"}
    package = ROOT / "layers/kiln/kiln"
    modules = {f"kiln.{path.stem}" for path in package.iterdir() if not path.stem.startswith("__")}
    # A module with a contract of its own, kiln.adapters.sbom, lies in a room as well.
    assert modules == {room for room in rooms if re.fullmatch(r"kiln\.\w+", room)}


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_domain_runs_where_boto3_is_not_installed() -> None:
    done = run_python(
        "import importlib, pkgutil, sys\n"
        "sys.modules.update(boto3=None, botocore=None)\n"
        "import kiln.domain\n"
        "names = [m.name for m in pkgutil.iter_modules(kiln.domain.__path__)]\n"
        "assert names\n"
        "for name in names: importlib.import_module(f'kiln.domain.{name}')\n"
    )
    assert done.returncode == 0, done.stderr


def test_the_command_line_starts_without_the_local_aws() -> None:
    done = run_python(
        "import sys, kiln_cli.main\n"
        "heavy = {'kiln_local', 'moto', 'samtranslator', 'jsonata'} & sys.modules.keys()\n"
        "sys.exit(f'imported at start: {heavy}' if heavy else 0)\n"
    )
    assert done.returncode == 0, done.stderr


def test_each_test_that_the_page_on_idempotency_names_is_there() -> None:
    page = (ROOT / "docs" / "idempotency.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    missing = [one for one in named if f"def {one[1]}(" not in (ROOT / one[0]).read_text()]
    assert not missing
