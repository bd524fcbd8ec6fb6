"""Values, strings and operators: what Windows PowerShell 5.1's documentation says they give."""

from __future__ import annotations

import pytest

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import Case, cases, run


@pytest.mark.parametrize("case", cases("values"), ids=lambda case: case.name)
def test_an_expression_has_the_value_that_is_documented(shared: WindowsMachine, case: Case) -> None:
    told = run(shared, case.script)
    assert told.out == case.lines
    assert (told.code, told.err, told.unknown) == (0, [], [])


_WRONG = {
    "no number": ("1 + 'abc'", "abc"),
    "a cast": ("[int]'abc'", "abc"),
    "division by zero": ("1 / 0", "zero"),
    "an element of nothing": ("$null[0]", "null"),
    "a place outside of an array": ("$a = @(1); $a[5] = 1", "range"),
    "too few for a format": ("'{1}' -f 'a'", "argument list"),
    "a cut outside of the text": ("'abc'.Substring(5)", "startIndex"),
    "a method with too little": ("'abc'.Replace('a')", "overload"),
    "a call with too much": ("[Math]::Max(1, 2, 3)", "overload"),
    "base64 that is none": ("[Convert]::FromBase64String('!')", "Base-64"),
    "a number that is too large": ("[int]'3000000000'", "3000000000"),
    "the same key twice": ("@{a=1} + @{a=2}", "already"),
}


@pytest.mark.parametrize(("script", "said"), _WRONG.values(), ids=_WRONG.keys())
def test_an_error_in_an_expression_is_told_and_the_script_goes_on_unless_it_is_to_stop(
    shared: WindowsMachine, script: str, said: str
) -> None:
    told = run(shared, f"{script}\n'after'")
    assert (told.code, told.out, told.unknown) == (0, ["after"], [])
    assert said in told.err[0]
    stopped = run(shared, f"$ErrorActionPreference = 'Stop'\n{script}\n'after'")
    assert (stopped.code, stopped.out) == (1, [])
    assert said in stopped.err[0]
