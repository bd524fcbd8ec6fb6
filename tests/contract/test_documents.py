"""The documents against the agent's rules, against each other and against the clean-up matrix.

How the agent really runs a document is what these rules come from: it ignores flow control outside
`inputs`, pastes parameters as text, searches `allowedPattern` unanchored, and drops what is not
alphanumeric.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.cleanup import ACCOUNTS, IDENTITY, SEALED, chef_versions, cleanup_for
from kiln.domain.platforms import PLATFORMS, Family
from tools.cleanup import filled, stale
from tools.platforms import page

ROOT = Path(__file__).parents[2]
TEXTS = {path.stem: path.read_text() for path in sorted((ROOT / "documents").glob("*.yaml"))}
DOCUMENTS: dict[str, dict[str, Any]] = {name: yaml.safe_load(t) for name, t in TEXTS.items()}
STEPS = [
    pytest.param(name, step, id=f"{name}.{step['name']}")
    for name, document in DOCUMENTS.items()
    for step in document["mainSteps"]
]
PARAMETERS = [
    pytest.param(name, parameter, id=f"{name}.{parameter}")
    for name, document in DOCUMENTS.items()
    for parameter in document.get("parameters", {})
]
CLEAN_STEPS = ["services", "paths", "packages", "accounts", "timers", "identity", "seal"]
MOST_BYTES = 24 * 1024
MENTION = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LIST = re.compile(r"^(\w+)\(\) \{\n    cat <<'LIST'\n(.*?)\nLIST\n\}", re.DOTALL | re.MULTILINE)
ROWS = [
    (platform.name, chef)
    for platform in PLATFORMS.values()
    if platform.family is not Family.WINDOWS
    for chef in ("none", *chef_versions(platform.name))
]


def script(document: str, step: str) -> str:
    steps = {item["name"]: item for item in DOCUMENTS[f"kiln-{document}"]["mainSteps"]}
    text: str = steps[step]["inputs"]["runCommand"][0]
    return text


def on_windows(name: str) -> bool:
    """Whether a document is for Windows."""
    return "windows" in name or "powershell" in name


def lists(text: str) -> dict[str, list[str]]:
    """The lists of a script by name."""
    return {name: body.splitlines() for name, body in LIST.findall(text)}


def of_every_row(program: str) -> dict[tuple[str, str], list[str]]:
    """What a program prints for each platform and Chef version, all in one shell."""
    rows = "".join(f"{platform} {chef}\n" for platform, chef in ROWS)
    loop = f"while read -r KILN_PLATFORM chef; do (\n{program}\n); echo --; done"
    done = subprocess.run(
        ["sh", "-c", loop], input=rows, capture_output=True, text=True, check=True, env=os.environ
    )
    parts = done.stdout.split("--\n")
    return {row: parts[number].splitlines() for number, row in enumerate(ROWS)}


def part(text: str, name: str) -> str:
    """A part of the table in a script, by its name."""
    found = re.search(rf"^# table: {name}\n(.*?)^# end of table$", text, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def test_the_documents_are_those_that_the_template_names() -> None:
    assert list(DOCUMENTS) == [
        f"kiln-{name}"
        for name in (
            *("bundle-linux", "clean-linux", "clean-windows", "inspect-windows", "place-app"),
            *("prepare-linux", "prepare-windows", "reboot-linux", "reboot-windows"),
            *("run-powershell", "run-shell", "seal-windows", "verify-linux", "verify-windows"),
        )
    ]


@pytest.mark.parametrize(
    ("document", "steps"),
    [
        ("run-shell", ["script"]),
        ("place-app", ["place"]),
        ("reboot-linux", ["reboot"]),
        ("prepare-linux", ["platform", "lock", "temporary", "packages", "facts"]),
        ("clean-linux", CLEAN_STEPS),
        ("verify-linux", ["leftovers", "kept", "lock", "temporary", "facts"]),
    ],
)
def test_a_documents_steps_have_the_names_that_others_read(document: str, steps: list[str]) -> None:
    assert [step["name"] for step in DOCUMENTS[f"kiln-{document}"]["mainSteps"]] == steps


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_small_and_its_schema_version_is_text(name: str) -> None:
    assert len(TEXTS[name].encode()) < MOST_BYTES
    assert DOCUMENTS[name]["schemaVersion"] == "2.2"
    assert DOCUMENTS[name]["description"]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_a_parameter_is_narrow_and_means_nothing_to_a_shell(name: str, parameter: str) -> None:
    spec = DOCUMENTS[name]["parameters"][parameter]
    assert re.fullmatch(r"[A-Za-z0-9]+", parameter)
    assert spec["type"] == "String"
    assert spec["description"]
    assert isinstance(spec.get("default", ""), str)
    if "allowedValues" in spec:
        assert all(isinstance(value, str) for value in spec["allowedValues"])
        return
    pattern = spec["allowedPattern"]
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    assert "(?" not in pattern
    for harmful in ("'", '"', "$(x)", "`x`", "a b", "a;b", "a\nb", "{{ x }}", "\\", "a&b", "a>b"):
        assert not re.search(pattern.replace("$", r"\Z"), harmful)
    if "default" in spec:
        assert re.search(pattern, spec["default"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_parameter_is_used_and_every_mention_is_a_parameter(name: str) -> None:
    mentioned = set(MENTION.findall(TEXTS[name].partition("mainSteps:")[2]))
    assert mentioned == set(DOCUMENTS[name].get("parameters", {}))


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_step_is_one_the_agent_runs_as_it_is_written(name: str, step: dict[str, Any]) -> None:
    inputs = step["inputs"]
    assert set(step) == {"name", "action", "precondition", "inputs"}
    assert re.fullmatch(r"[a-z]+", step["name"])
    windows = on_windows(name)
    assert step["action"] == f"aws:run{'PowerShell' if windows else 'Shell'}Script"
    system = "Windows" if windows else "Linux"
    assert step["precondition"] == {"StringEquals": ["platformType", system]}
    assert isinstance(inputs["runCommand"], list)
    assert len(inputs["runCommand"]) == 1
    assert "{{" not in inputs["runCommand"][0]
    assert "$$" not in inputs["runCommand"][0]
    assert set(inputs) <= {"timeoutSeconds", "onFailure", "environment", "runCommand"}
    timeout = inputs["timeoutSeconds"]
    assert timeout == "{{ Timeout }}" or 5 <= int(timeout) <= 172_800
    if len(DOCUMENTS[name]["mainSteps"]) > 1:
        assert inputs["onFailure"] == "exit"


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_step_takes_every_value_from_its_environment(name: str, step: dict[str, Any]) -> None:
    environment = step["inputs"].get("environment", {})
    for variable, value in environment.items():
        assert re.fullmatch(r"KILN_[A-Z_]+", variable)
        assert MENTION.fullmatch(value)
    read = set(re.findall(r"\$(?:env:|\{)?(KILN_[A-Z_]+)", step["inputs"]["runCommand"][0]))
    assert read == set(environment)


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_step_stops_at_its_first_failure(name: str, step: dict[str, Any]) -> None:
    lines = step["inputs"]["runCommand"][0].splitlines()
    if on_windows(name):
        assert lines[:2] == ["Set-StrictMode -Version 2.0", "$ErrorActionPreference = 'Stop'"]
    else:
        assert lines[0] == ("set -u" if step["name"] == "facts" else "set -eu")


def test_scripts_that_a_script_writes_pass_shellcheck_too() -> None:
    text = "\n".join(script("clean-linux", name) for name in ("services", "seal"))
    written = re.findall(r"<<'(LIB|SEAL)'\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in written] == ["LIB", "SEAL"]
    checker = Path(sys.executable).with_name("shellcheck")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name, _ in written]
        for path, (_, body) in zip(files, written, strict=True):
            path.write_text(body)
        # SC1091: the library is there when this runs.
        command = [str(checker), "--shell=sh", "--exclude=SC1091", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_facts_of_builder_and_clone_are_asked_for_in_the_same_words() -> None:
    for system in ("linux", "windows"):
        assert script(f"prepare-{system}", "facts") == script(f"verify-{system}", "facts")


def test_the_verification_has_its_own_lists_and_reads_nothing_of_the_clean_ups() -> None:
    verify = script("verify-linux", "leftovers")
    assert "lib.sh" not in verify
    assert {"paths", "packages", "accounts", "stamps", "identity", "sealed"} == set(lists(verify))


@pytest.mark.parametrize("step", CLEAN_STEPS)
def test_every_entry_of_a_list_stands_once_on_a_line_of_its_own(step: str) -> None:
    for name, lines in lists(script("clean-linux", step)).items():
        assert len(lines) == len(set(lines)), name
        assert all(re.fullmatch(r"([a-z0-9]+ )?\S+", line) for line in lines), name


def test_the_lists_that_hold_everywhere_are_the_tables() -> None:
    verify = lists(script("verify-linux", "leftovers"))
    assert lists(script("clean-linux", "identity"))["identity"] == [*IDENTITY]
    assert lists(script("clean-linux", "seal"))["sealed"] == [*SEALED]
    assert verify["identity"] == [*IDENTITY]
    assert verify["sealed"] == [*SEALED]


def table(platform: str, chef: str) -> Any:
    return cleanup_for(platform, None if chef == "none" else chef)


def test_the_clean_up_removes_the_paths_of_each_row_and_no_others() -> None:
    paths, library = script("clean-linux", "paths"), script("clean-linux", "services")
    of_sets = re.search(r"^of_sets\(\) \{.*?^\}", library, re.DOTALL | re.MULTILINE)
    listed = next(m[0] for m in LIST.finditer(paths) if m[1] == "paths")
    assert of_sets
    program = f"{of_sets[0]}\n{listed}\n{part(paths, 'path sets')}\npaths | of_sets $sets"
    for row, found in of_every_row(program).items():
        assert sorted(found) == sorted(table(*row).paths), row


def test_the_clean_up_stops_the_services_of_each_row_and_no_others() -> None:
    services = script("clean-linux", "services")
    listed = lists(services)["services"]
    for row, found in of_every_row(f"{part(services, 'service sets')}\necho $sets").items():
        chosen = [line.split() for line in listed]
        by_script = "init" in found[0].split()
        stopped = tuple(name for how, name in chosen if how in found[0].split())
        expected = table(*row)
        assert stopped == (expected.init if by_script else expected.systemd), row


def test_the_seal_looks_for_the_services_and_timers_of_each_row() -> None:
    seal = script("clean-linux", "seal")
    for row, found in of_every_row(f"{part(seal, 'agents')}\necho $agents").items():
        expected = table(*row)
        names = {*expected.init, *expected.systemd, *expected.timers}
        assert set(found[0].split()) == names, row


def test_the_clean_up_stops_the_timers_of_each_row_and_removes_their_stamps() -> None:
    timers = script("clean-linux", "timers")
    chosen = of_every_row(f"{part(timers, 'timed')}\necho $timed")
    for row, found in chosen.items():
        listed = lists(timers) if found == ["yes"] else {"timers": [], "stamps": []}
        assert tuple(listed["timers"]) == table(*row).timers, row
        assert tuple(listed["stamps"]) == table(*row).stamps, row


def test_the_clean_up_removes_the_packages_of_every_row_of_opsworks() -> None:
    cleaned = lists(script("clean-linux", "packages"))["packages"]
    verified = lists(script("verify-linux", "leftovers"))["packages"]
    for platform, chef in ROWS:
        if chef != "none":
            assert tuple(cleaned) == tuple(verified) == table(platform, chef).packages


def test_the_verification_looks_for_the_paths_of_each_row_and_no_others() -> None:
    verify = script("verify-linux", "leftovers")
    listed = "\n".join(match[0] for match in LIST.finditer(verify))
    wanted = re.search(r"^wanted\(\) \{.*?^\}", verify, re.DOTALL | re.MULTILINE)
    assert wanted
    chosen = part(verify, "path sets") + part(verify, "timed")
    program = f"{listed}\n{chosen}\n{wanted[0]}\nwanted"
    for row, found in of_every_row(program).items():
        expected = table(*row)
        assert sorted(found) == sorted(
            itertools.chain(expected.paths, expected.stamps, IDENTITY, SEALED)
        ), row


def test_the_accounts_are_the_tables() -> None:
    assert lists(script("clean-linux", "accounts"))["accounts"] == [*ACCOUNTS]
    assert lists(script("verify-linux", "leftovers"))["accounts"] == [*ACCOUNTS]


def test_documents_and_page_hold_the_table_as_it_is() -> None:
    assert stale() == []


@pytest.mark.parametrize("name", ["clean-linux", "verify-linux"])
def test_a_document_whose_table_was_edited_by_hand_is_mended(name: str) -> None:
    text = TEXTS[f"kiln-{name}"]
    for entry in ("opsworks /etc/chef", "/etc/hostname", 'sets="any agent"'):
        assert entry in text
        assert filled(text.replace(entry, "edited")) == text


def test_every_platform_has_a_row_on_the_page() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")][: len(PLATFORMS)]
    assert [row.split("`")[1] for row in rows] == [*PLATFORMS]
    assert {row.count(" | ") for row in rows} == {7}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_script_uses_what_the_oldest_platform_lacks(name: str) -> None:
    # dpkg learned db:Status-Status in 1.17.11; Ubuntu 14.04 has 1.17.5, where it is empty.
    assert "db:Status" not in TEXTS[name]


def test_no_list_names_what_is_never_touched() -> None:
    entries = {*IDENTITY, *SEALED, *(path for row in ROWS for path in table(*row).paths)}
    spared = ("/etc/apt", "/etc/ssl", "/etc/pki", "/usr/share/keyrings", "/etc/sudoers")
    for entry, place in itertools.product(entries, spared):
        assert entry != place
        assert not entry.startswith(f"{place}/")
