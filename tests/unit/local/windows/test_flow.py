"""Statements, functions, errors and exit codes: what Windows PowerShell 5.1 documents."""

from __future__ import annotations

import pytest

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import Case, Told, cases, run


@pytest.mark.parametrize("case", cases("flow"), ids=lambda case: case.name)
def test_statements_do_what_is_documented(shared: WindowsMachine, case: Case) -> None:
    assert run(shared, case.script) == Told(0, case.lines, [], [])


_CODES = {
    "nothing": ("'a'", 0, ["a"], ""),
    "exit with a code": ("'a'; exit 3; 'b'", 3, ["a"], ""),
    "exit with what is computed": ("$x = 2; exit ($x + 1)", 3, [], ""),
    "exit in a function": ("function F { 'a'; exit 4 }\n'0'; F; 'b'", 4, ["0", "a"], ""),
    "exit in a loop and in a try": (
        *("foreach ($i in 1, 2) { $i; try { exit 5 } catch { 'c' } finally { 'f' } }", 5),
        *(["1", "f"], ""),
    ),
    "exit in a pipeline": ("1, 2 | ForEach-Object { $_; exit 6 }", 6, ["1"], ""),
    "the code of a reboot": ("exit 3010", 3010, [], ""),
    "throw": ("'a'; throw 'bad'; 'b'", 1, ["a"], "bad"),
    "throw without a value": ("throw", 1, [], "ScriptHalted"),
    "throw where errors go on": ("$ErrorActionPreference = 'Continue'\nthrow 'x'", 1, [], "x"),
    "throw in a pipeline": ("1, 2 | ForEach-Object { $_; throw 'x' }\n'b'", 1, ["1"], "x"),
    "throw for a value": ("$x = & { 'lost'; throw 'x' }", 1, [], "x"),
    "throw in a catch": ("try { throw 'a' } catch { throw \"b of $_\" }", 1, [], "b of a"),
    "throw past a finally": ("try { throw 'a' } finally { 'f' }", 1, ["f"], "a"),
    "an error that goes on": ("Get-Item C:\\missing\n'b'", 0, ["b"], "does not exist"),
    "an error that stops": (
        *("$ErrorActionPreference = 'Stop'\nGet-Item C:\\missing\n'b'", 1, []),
        "does not exist",
    ),
    "an error that stops by itself": (
        *("Get-Item C:\\missing -ErrorAction Stop\n'b'", 1, [], "does not exist"),
    ),
    "an error that is not told": ("Get-Item C:\\missing -ea SilentlyContinue; 'b'", 0, ["b"], ""),
    "errors that are not told": (
        *("$ErrorActionPreference = 'SilentlyContinue'\nGet-Item C:\\missing\n1 / 0\n'b'", 0),
        *(["b"], ""),
    ),
    "Write-Error": ("Write-Error 'bad'\n'b'", 0, ["b"], "bad"),
    "Write-Error that stops": ("$ErrorActionPreference = 'Stop'\nWrite-Error 'x'; 1", 1, [], "x"),
    "Write-Error that goes on": (
        *("$ErrorActionPreference = 'Stop'\nWrite-Error -ErrorAction Continue 'x'\nexit 7", 7),
        *([], "x"),
    ),
    "a preference of a function": (
        *("function F { $ErrorActionPreference = 'Stop'; 1 / 0; 'b' }\nF\n'c'", 1, [], "zero"),
    ),
    "an error in an argument": ("Write-Output (1 / 0)\n'b'", 0, ["b"], "zero"),
    "an error after a try": ("try { 'a' } catch { }\n1 / 0\n'b'", 0, ["a", "b"], "zero"),
    "a wrong parameter": ("function F { param($A) }\nF -B 1\n'b'", 0, ["b"], "parameter name 'B'"),
    "an argument that is missing": ("Join-Path 'C:\\a'\n'b'", 0, ["b"], "childpath"),
    "no block": ("1, 2 | Where-Object 1\n'b'", 0, ["b"], "script block"),
    "an argument too many": ("Get-Item C:\\a C:\\b\n'b'", 0, ["b"], "positional parameter"),
    "break outside of a loop": ("'a'; break; 'b'", 0, ["a"], ""),
    "return from a script": ("'a'; return 'b'; 'c'", 0, ["a", "b"], ""),
    "a call too deep": ("function F { F }\nF", 1, [], "call depth"),
}


@pytest.mark.parametrize(("script", "code", "out", "err"), _CODES.values(), ids=_CODES.keys())
def test_a_script_ends_with_the_code_that_is_documented(
    shared: WindowsMachine, script: str, code: int, out: list[str], err: str
) -> None:
    told = run(shared, script)
    assert (told.code, told.out, told.unknown) == (code, out, [])
    assert err in "".join(told.err)
    assert bool(err) == bool(told.err)


def test_a_script_of_its_own_gets_the_environment_and_gives_its_exit_code(
    machine: WindowsMachine,
) -> None:
    inner = "\"of $env:WHO and [$x]\"; $env:WHO = 'changed'; exit 9"
    machine.drive.write(r"C:\inner.ps1", inner)
    told = run(
        machine,
        "$x = 'mine'; $env:WHO = 'me'\n& powershell.exe -NoProfile -File C:\\inner.ps1\n"
        "$LASTEXITCODE; $env:WHO; $?",
    )
    assert told == Told(0, ["of me and []", "9", "me", "False"], [], [])


def test_a_script_that_fails_in_a_process_of_its_own_gives_one(machine: WindowsMachine) -> None:
    machine.drive.write(r"C:\inner.ps1", "'said'; throw 'bad'")
    told = run(machine, "& powershell.exe -File C:\\inner.ps1\n$LASTEXITCODE")
    assert told == Told(0, ["said", "1"], ["bad"], [])


def test_a_script_that_is_called_runs_here_in_a_scope_of_its_own(machine: WindowsMachine) -> None:
    machine.drive.write(r"C:\inner.ps1", '"sees $x"; $x = 2; exit 3')
    told = run(machine, "$x = 1\n& C:\\inner.ps1\n$LASTEXITCODE; $x")
    assert told == Told(0, ["sees 1", "3", "1"], [], [])
    machine.drive.write(r"C:\throws.ps1", "throw 'bad'")
    assert run(machine, 'try { & C:\\throws.ps1 } catch { "got $_" }').out == ["got bad"]


def test_a_scripts_own_parameters_have_their_defaults(machine: WindowsMachine) -> None:
    told = run(machine, "param([string]$Name = 'nobody', [int]$N)\n\"$Name $N\"")
    assert told == Told(0, ["nobody 0"], [], [])
