"""The documents against the agent's rules, against each other and against the clean-up matrix.

How the agent really runs a document is what these rules come from: it ignores flow control outside
`inputs`, pastes parameters as text, searches `allowedPattern` unanchored, and drops what is not
alphanumeric.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def script(document: str, step: str) -> str:
    steps = {item["name"]: item for item in DOCUMENTS[f"kiln-{document}"]["mainSteps"]}
    text: str = steps[step]["inputs"]["runCommand"][0]
    return text


def on_windows(name: str) -> bool:
    """Whether a document is for Windows."""
    return "windows" in name or "powershell" in name


def test_the_documents_are_those_that_the_template_names() -> None:
    assert list(DOCUMENTS) == [
        f"kiln-{name}"
        for name in (
            *("bundle-linux", "clean-linux", "clean-windows", "inspect-windows"),
            *("mount-volumes-linux", "place-app"),
            *("prepare-linux", "prepare-windows", "reboot-linux", "reboot-windows"),
            *("run-powershell", "run-recipes-linux", "run-recipes-windows", "run-shell"),
            *("seal-windows", "verify-linux", "verify-windows"),
        )
    ]


@pytest.mark.parametrize(
    ("document", "steps"),
    [
        ("run-shell", ["script"]),
        ("run-recipes-linux", ["recipes"]),
        ("run-recipes-windows", ["recipes"]),
        ("place-app", ["place"]),
        ("mount-volumes-linux", ["mount"]),
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


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_script_uses_what_the_oldest_platform_lacks(name: str) -> None:
    # dpkg learned db:Status-Status in 1.17.11; Ubuntu 14.04 has 1.17.5, where it is empty.
    assert "db:Status" not in TEXTS[name]
