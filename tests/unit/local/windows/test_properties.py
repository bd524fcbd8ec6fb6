"""What holds for any value: nothing is lost between a script, a value, a file and JSON, and no
script whatever makes the simulator fail."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import a_builder, cases, run

pytestmark = pytest.mark.long

# What a script can hold: no lone surrogates, no NUL; a carriage return is a line's end to nobody.
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
_WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_PLAIN = st.one_of(_TEXT, st.integers(-(2**31) + 1, 2**31 - 1), st.booleans(), st.none())
_NESTED = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_WORD, inner, max_size=4)),
    max_leaves=12,
)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _literal(value: Any) -> str:
    """A value as PowerShell writes it. An array in an array needs a comma before it to stay one."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return f"${value}".lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "@(" + "; ".join(f",{_literal(item)}" for item in value) + ")"
    return "@{" + "; ".join(f"{_quoted(k)} = {_literal(v)}" for k, v in value.items()) + "}"


@given(_NESTED)
def test_a_nest_of_literals_comes_back_through_json_as_it_was(
    shared: WindowsMachine, value: Any
) -> None:
    for compress in ("", " -Compress"):
        script = f"$v = {_literal(value)}\nConvertTo-Json -InputObject $v -Depth 50{compress}"
        told = run(shared, script)
        assert (told.code, told.err, told.unknown) == (0, [], [])
        assert json.loads("\n".join(told.out)) == value


@given(_NESTED)
def test_json_is_read_and_written_back_as_it_was(shared: WindowsMachine, value: Any) -> None:
    given_ = _quoted(json.dumps({"v": value}))
    told = run(shared, f"ConvertTo-Json ({given_} | ConvertFrom-Json) -Depth 50 -Compress")
    assert json.loads("\n".join(told.out)) == {"v": value}


@given(_TEXT)
@example("'")
@example("a'\n'b\n''")
def test_text_in_single_quotes_and_in_a_here_string_is_never_changed(
    shared: WindowsMachine, value: str
) -> None:
    # A last line of one quote alone is beyond the grammar: docs/local-aws.md.
    held = value.replace("\r", "").replace("\n'@", "")
    held = f"{held}." if held.endswith("\n'") else held
    script = (
        f"[IO.File]::WriteAllText('C:\\a', {_quoted(value)})\n"
        f"[IO.File]::WriteAllText('C:\\b', @'\n{held}\n'@)\n"
        f"$x = {_quoted(value)}\n[IO.File]::WriteAllText('C:\\c', \"$x$($x)${{x}}\")"
    )
    told = run(shared, script)
    assert (told.code, told.err, told.unknown) == (0, [], [])
    written = [(shared.root / "C" / name).read_bytes().decode() for name in "abc"]
    assert written == [value, held, value * 3]


@given(_TEXT)
def test_text_of_the_environment_goes_through_base64_and_files_unchanged(
    shared: WindowsMachine, value: str
) -> None:
    script = (
        "$b = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($env:GIVEN))\n"
        "$t = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($b))\n"
        "[IO.File]::WriteAllText('C:\\a', $t)\n"
        "[IO.File]::WriteAllText('C:\\b', [IO.File]::ReadAllText('C:\\a'))"
    )
    run(shared, script, GIVEN=value)
    written = (shared.root / "C/b").read_bytes().decode()
    # A mark at the start of a file is no part of its text.
    assert written == value.removeprefix("\ufeff")


@given(st.lists(_WORD, max_size=6), st.sampled_from([",", ";", "|", ".", "+"]))
def test_what_is_joined_is_split_again(shared: WindowsMachine, words: list[str], glue: str) -> None:
    pattern = _quoted("\\" + glue)
    given_ = ", ".join(map(_quoted, words)) or "''"
    script = (
        f"$j = @({given_}) -join {_quoted(glue)}\n$j -split {pattern}\n$j.Split({_quoted(glue)})"
    )
    assert run(shared, script).out == (words or [""]) * 2


@given(st.integers(-(10**6), 10**6), st.integers(-1000, 1000).filter(bool))
def test_whole_numbers_divide_with_a_remainder(shared: WindowsMachine, a: int, b: int) -> None:
    script = f"$q = (({a}) - (({a}) % ({b}))) / ({b})\n$q * ({b}) + ({a}) % ({b})\n$q"
    told = run(shared, script)
    assert told.out == [str(a), str(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))]


# ------------------------------------------------------------ no script makes the simulator fail

_PIECES = [
    *("$x", "'a'", '"b$x"', "1", "0", "-1", "2.5", "@()", "@(1, 'a')", "@{a=1}", "$null", "$true"),
    *("[int]", "[string]", "[xml]", "[IO.File]", "[Math]", "[Convert]", "[Environment]", "[Guid]"),
    *("::Max", "::ReadAllText", "::FromBase64String", "::NewGuid", "(", ")", "()", ",", ";", "\n"),
    *("-eq", "-match", "-replace", "-split", "-join", "-f", "-band", "+", "-", "*", "/", "%", ".."),
    *(".a", ".Count", ".Substring", ".Replace", ".ToString", ".Split", "[0]", "['a']", "= ", "++"),
    *("{", "}", "if ", "foreach ", "in", "while ", "function F ", "param", "return", "throw"),
    *("Get-Item", "C:\\Windows", "HKLM:\\SOFTWARE", "Set-Content", "Remove-Item", "Copy-Item"),
    *(
        "Get-Content",
        "New-Item",
        "-Path",
        "-Recurse",
        "-Value",
        "-Name",
        "Env:\\x",
        "Select-Object",
    ),
    *("ConvertTo-Json", "ConvertFrom-Json", "Sort-Object", "Where-Object", "ForEach-Object", "|"),
    *("Measure-Object", "Get-Service", "Stop-Service", "Get-EventLog", "Start-Sleep", "New-Object"),
    *("Set-ItemProperty", "Get-Date", "-Format", "exit", "break", "continue", "try", "catch", " "),
]


def _code(script: str) -> int:
    """A script's exit code on a machine of its own."""
    with TemporaryDirectory() as folder:
        return run(a_builder(Path(folder) / "machine"), script).code


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_pieces_in_any_order_give_an_exit_code(pieces: list[str]) -> None:
    assert isinstance(_code(" ".join(pieces)), int)


_SCRIPTS = [case.script for name in ("values", "flow", "cmdlets") for case in cases(name)]


@given(st.sampled_from(_SCRIPTS), st.data())
def test_a_script_with_a_piece_changed_gives_an_exit_code(script: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(script)))
    cut = data.draw(st.integers(0, 3))
    piece = data.draw(st.sampled_from(_PIECES))
    assert isinstance(_code(script[:at] + piece + script[at + cut :]), int)
