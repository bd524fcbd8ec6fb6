"""The small checks of the gate see what they are there to see."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import check_build
from tools.check_build import compiled, functions_of, problems
from tools.check_scripts import is_shell, pasting_problems, scripts_of, shellcheck
from tools.check_sizes import functions_in, parameters_of, problems_of
from tools.check_state_machines import expression_problems, substitution_problems

LAYERS = {f"{layer}/{file}": b"" for layer, files in check_build.LAYERS.items() for file in files}


def sizes_of(source: str) -> list[str]:
    return list(problems_of(Path("a.py"), source, functions_in(ast.parse(source))))


def test_a_function_of_41_lines_is_too_long() -> None:
    assert sizes_of("def f():\n" + "    x = 1\n" * 39) == []
    assert "41 lines, 40 at most" in sizes_of("def f():\n" + "    x = 1\n" * 40)[0]


def test_a_file_of_301_lines_is_too_long() -> None:
    assert "301 lines, 300 at most" in sizes_of("x = 1\n" * 301)[0]


@pytest.mark.parametrize(
    ("source", "count"),
    [("def f(a, /, b, *, c): ...", 3), ("class C:\n    def f(self, a): ...", 1)],
)
def test_parameters_are_what_a_caller_passes(source: str, count: int) -> None:
    assert parameters_of(functions_in(ast.parse(source))[0]) == count


def test_an_expression_that_is_not_jsonata_is_named() -> None:
    assert list(expression_problems({"a": ["{% $states.input %}", "plain"]})) == []
    assert "not JSONata" in next(expression_problems({"a": "{% $states.( %}"}))
    assert "whole string" in next(expression_problems({"a": "id-{% $x %}"}))


def test_substitutions_are_all_used_and_all_defined() -> None:
    found = list(substitution_problems("${A} ${B}", {"B", "C"}))
    assert found == [
        "${A} has no DefinitionSubstitutions entry",
        "DefinitionSubstitutions defines C, which nothing uses",
    ]


def test_a_parameter_pasted_into_a_script_is_refused() -> None:
    assert list(pasting_problems("doc.step", 'echo "$NAME"')) == []
    assert "doc.step:2" in next(pasting_problems("doc.step", "set -u\necho {{ Name }}"))


def test_the_shell_steps_of_a_document_are_found(tmp_path: Path) -> None:
    document = tmp_path / "kiln-x.yaml"
    document.write_text(
        "mainSteps:\n"
        "  - {name: one, action: 'aws:runShellScript', inputs: {runCommand: [a, b]}}\n"
        "  - {name: two, action: 'aws:runPowerShellScript', inputs: {runCommand: [c]}}\n"
    )
    assert list(scripts_of(document)) == [("kiln-x.one", "a\nb")]


def test_shellcheck_reads_a_script_without_a_shebang_as_sh(tmp_path: Path) -> None:
    plain, bash = tmp_path / "plain", tmp_path / "bash"
    plain.write_text("[[ -n $1 ]]\n")
    bash.write_text("#!/bin/bash\n[[ -n $1 ]]\n")
    assert is_shell(bash)
    said = shellcheck([plain, bash])
    assert "In POSIX sh, [[ ]] is undefined" in said
    assert str(bash) not in said


def test_a_build_is_the_same_twice_and_its_layers_alone_are_compiled() -> None:
    sources = [name for name in LAYERS if name.endswith(".py")]
    built = {**LAYERS, **{compiled(name): b"1" for name in sources}}
    assert list(problems(built, built)) == []
    changed = {**built, "WakeFunction/__pycache__/app.pyc": b"1"}
    found = list(problems(built, changed))
    assert "differs between two builds" in found[0]
    assert "compiled code" in found[1]
    assert [line.rpartition(": ")[2] for line in problems(LAYERS, LAYERS)] == [
        "is not compiled" for _ in sources
    ]


def test_a_build_without_our_package_is_refused() -> None:
    assert "KilnLayer: has no" in next(problems({}, {}))


def test_the_files_of_a_function_are_taken_together() -> None:
    files = {"WakeFunction/app.py": b"x", "KilnLayer/python/kiln/__init__.py": b""}
    assert functions_of(files) == {"WakeFunction": {"app.py": b"x"}}
