"""What the simulated Windows does not know is said, has no effect, and is not guessed at."""

from __future__ import annotations

import pytest

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import Told, everything, run

pytestmark = pytest.mark.long

# A script of one statement, and what it is called in `unknown`.
_UNKNOWN = {
    "a command": ("Install-Thing -Name x", "Install-Thing"),
    "a program": ("& 'C:\\Windows\\System32\\msiexec.exe' /i x", "msiexec.exe"),
    "a program by its name": ("msiexec.exe /i x /qn", "msiexec.exe"),
    "a command in a pipeline": ("Get-Service | Out-GridView", "Out-GridView"),
    "a command in an argument": ("Set-Content C:\\x (Get-Thing)", "Get-Thing"),
    "a command in a condition": ("if (Get-Thing) { Set-Content C:\\x 'a' }", "Get-Thing"),
    "a command in a loop's head": (
        "foreach ($i in Get-Thing) { Set-Content C:\\x 'a' }",
        "Get-Thing",
    ),
    "a parameter": ("Get-ChildItem C:\\Windows -Exclude *.txt | Remove-Item", "-Exclude"),
    "a parameter of a remover": ("Remove-Item C:\\Windows -Recurse -Include *.log", "-Include"),
    "-WhatIf": ("Remove-Item C:\\Windows -Recurse -WhatIf", "-whatif"),
    "an operator": ("Set-Content C:\\x (1 -as [string])", "-as"),
    "a type": ("Set-Content C:\\x ([datetime]'2020-01-01')", "[datetime]"),
    "a static method": ("[IO.File]::Delete('C:\\Windows\\Temp')", "Delete"),
    "a static property": ("Set-Content C:\\x ([Environment]::OSVersion)", "OSVersion"),
    "an object": ("$w = New-Object Net.WebClient", "Net.WebClient"),
    "a stream that compresses": (
        "$z = New-Object IO.Compression.GZipStream (New-Object IO.MemoryStream), 'Compress'",
        "GZipStream",
    ),
    "a mutex that is ours at once": ("$m = New-Object Threading.Mutex $true, 'x'", "Mutex"),
    "an older protocol": ("[Net.ServicePointManager]::SecurityProtocol = 'Ssl3'", "Ssl3"),
    "permissions in other words": ("icacls.exe C:\\Windows /grant Users:F", "icacls"),
    "permissions without a list": ("icacls.exe C:\\Windows /inheritance:r /grant:r", "icacls"),
    "an answer of the web as an object": (
        "Set-Content C:\\x (Invoke-WebRequest https://example.org -UseBasicParsing)",
        "Invoke-WebRequest",
    ),
    "a browser's parser": ("Invoke-WebRequest https://example.org -OutFile C:\\x", "Invoke-Web"),
    "a method": ("Set-Content C:\\x 'a'.PadLeft(5)", "PadLeft"),
    "a property of a file": ("Set-Content C:\\x (Get-Item C:\\Windows).Attributes", "Attributes"),
    "a property of a service": ("Set-Content C:\\x (Get-Service W32Time).StartType", "StartType"),
    "a variable of PowerShell's": ("Set-Content C:\\x $PSVersionTable", "PSVersionTable"),
    "a drive of another provider": ("Set-Content HKCU:\\x 'a'", "HKCU:"),
    "another hive": ("New-Item HKCU:\\SOFTWARE\\x", "HKCU:"),
    "a relative path": ("Set-Content x.txt 'a'", "x.txt"),
    "a redirection": ("Write-Output 'a' > C:\\x", "redirection"),
    "a redirected program": ("& C:\\Windows\\x.exe 2>&1", "redirection"),
    "a feature": ("Install-WindowsFeature Web-Server,Telnet-Client", "Telnet-Client"),
    "a class": ("Set-Content C:\\x (Get-CimInstance Win32_Bios)", "win32_bios"),
    "a filter": ("Get-CimInstance Win32_OperatingSystem -Filter \"Name='x'\"", "filter"),
    "a kind of item": ("New-Item C:\\x -ItemType SymbolicLink -Value C:\\Windows", "symboliclink"),
    "wildcards of keys": ("Remove-Item HKLM:\\SOFTWARE\\* -Recurse", "wildcards"),
    "properties of a file": (
        "Set-ItemProperty C:\\Windows -Name IsReadOnly -Value $true",
        "Windows",
    ),
    "an encoding": ("Set-Content C:\\x 'a' -Encoding UTF32", "UTF32"),
    "an expression": ("Set-Content C:\\x ('a' -match '(?<a-b>x)')", "(?<a-b>x)"),
    "a format": ("Set-Content C:\\x ('{0:P}' -f 1)", "P"),
    "a format of a time": ("Set-Content C:\\x (Get-Date -Format 'K')", "K"),
    "calculated properties": (
        "Get-Service | Select-Object @{n='x'; e={1}} | Set-Content C:\\x",
        "names",
    ),
    "JSON of a file": ("Get-Item C:\\Windows | ConvertTo-Json | Set-Content C:\\x", "JSON"),
    "objects as they are shown": ("[pscustomobject]@{a=1} | Out-File C:\\x", "shown"),
    "typed catches": (
        "try { Set-Content C:\\x 'a' } catch [System.IO.IOException] { 'c' }",
        "catch",
    ),
    "an XPath": ("([xml]'<a/>').SelectNodes('/a[@b]')", "XPath"),
    "dot-sourcing": (". C:\\x.ps1", "scope"),
    "PowerShell with a command": ("powershell.exe -Command 'Set-Content C:\\x 1'", "-File"),
    "arguments of a script": ("powershell.exe -File C:\\x.ps1 -Name a", "-File"),
    "shutting down otherwise": ("shutdown.exe /a", "/a"),
    "a class of one's own": ("class A { [int]$B }", "class"),
    "a trap": ("trap { 'a' }", "trap"),
    "two pipelines": ("Set-Content C:\\x 'a' && Set-Content C:\\y 'b'", "pipeline"),
    "blocks of a filter": ("function F { process { $_ } }", "begin"),
    "a variable of another place": ("Set-Content C:\\x $using:y", "using"),
    "a loop without end": ("while ($true) { $i++ }", "rounds"),
    "a set without another": ("Set-Content C:\\x ('a' -match '[a-z-[b]]')", "[a-z-[b]]"),
    "a range without end": ("foreach ($i in 1..9999999) { Set-Content C:\\x 'a' }", "range"),
}


@pytest.mark.parametrize(("script", "name"), _UNKNOWN.values(), ids=_UNKNOWN.keys())
def test_what_is_not_known_is_said_with_its_line_and_has_no_effect(
    machine: WindowsMachine, script: str, name: str
) -> None:
    before = everything(machine)
    told = run(machine, f"'before'\n{script}\n'after'")
    said = [line for line in told.out if line.startswith("not run here (line ")]
    assert len(said) == 1
    assert said[0].startswith(("not run here (line 2): ", "not run here (line 3): "))
    assert (told.out[0], told.out[-1], told.code, told.err) == ("before", "after", 0, [])
    assert len(told.unknown) == 1
    assert name in told.unknown[0]
    assert name in said[0]
    assert everything(machine) == before


# The statement changes something before it comes to what is not known.
_HALF = {
    "a new file": "Write-Output (New-Item C:\\new -ItemType File) (Get-Thing)",
    "new folders": "New-Item C:\\new\\a\\b -ItemType Directory | Out-GridView",
    "a changed file": "$(Set-Content C:\\inetpub\\x 'new'; 1) | Out-GridView",
    "a removed folder": "& { Remove-Item C:\\Windows -Recurse } (Get-Thing)",
    "a removed folder in a pipeline": "$(Remove-Item C:\\Windows -Recurse; 1) | Out-GridView",
    "a moved file": "$(Move-Item C:\\inetpub C:\\moved; 1) | Out-GridView",
    "a renamed folder": "$(Rename-Item C:\\inetpub other; 1) | Out-GridView",
    "a copied folder": "$(Copy-Item C:\\Windows C:\\copy -Recurse; 1) | Out-GridView",
    "a key": "$(New-Item HKLM:\\SOFTWARE\\A\\B -Force; 1) | Out-GridView",
    "a removed key": ("$(Remove-Item HKLM:\\SOFTWARE\\Microsoft\\Cryptography; 1) | Out-GridView"),
    "a value": (
        "$(Set-ItemProperty HKLM:\\SOFTWARE\\Microsoft\\A -Name b -Value 1; 1) | Out-GridView"
    ),
    "a service": "$(Stop-Service W32Time; 1) | Out-GridView",
    "a feature": "$(Install-WindowsFeature Web-Server) | Out-GridView",
    "a log": "$(Clear-EventLog System; 1) | Out-GridView",
    "permissions": (
        "$(icacls.exe C:\\Windows '/inheritance:r' '/grant:r' '*S-1-5-18:(OI)(CI)F'; 1) | "
        "Out-GridView"
    ),
    "the power": "$(Stop-Computer -Force; 1) | Out-GridView",
    "the agent": (
        "$(& 'C:\\Program Files\\Amazon\\EC2Launch\\EC2Launch.exe' reset -c; 1) | Out-GridView"
    ),
    "Sysprep": (
        "$(& 'C:\\Program Files\\Amazon\\EC2Launch\\EC2Launch.exe' sysprep; 1) | Out-GridView"
    ),
    "a variable of the system": (
        "$([Environment]::SetEnvironmentVariable('A', 'b', 'Machine'); 1) | Out-GridView"
    ),
    "a script of its own": "$(& powershell.exe -File C:\\inner.ps1; 1) | Out-GridView",
    "a loop that cannot go on": (
        "for ($i = 0; $i -lt 3 -or (Get-Thing); $i++) {\n Set-Content \"C:\\loop$i\" 'a'\n}"
    ),
}


@pytest.mark.parametrize("script", _HALF.values(), ids=_HALF.keys())
def test_a_statement_is_undone_as_a_whole(machine: WindowsMachine, script: str) -> None:
    machine.drive.write(r"C:\inner.ps1", "Set-Content C:\\x 'a'\nStop-Service W32Time")
    machine.drive.write(r"C:\inetpub\x", "old")
    before = everything(machine)
    told = run(machine, f"'before'\n{script}\n'after'")
    assert len(told.unknown) == 1
    assert (told.out[0], told.out[-1], len(told.out)) == ("before", "after", 3)
    assert everything(machine) == before


_VALUES = {
    "a variable": ("function F { $script:a = 2 }\n$a = 1\n$(F; 1) | Out-GridView\n$a", "1"),
    "an array": ("function F { $a[0] = 2 }\n$a = @(1)\n$(F; 1) | Out-GridView\n$a[0]", "1"),
    "a hashtable": (
        "function F { $h.Add('b', 2); $h.a = 5 }\n$h = @{a=1}\n$(F; 1) | Out-GridView\n"
        "$h.Count + $h.a",
        "2",
    ),
    "a document": (
        "function F { $x.a.b = '2' }\n[xml]$x = '<a><b>1</b></a>'\n$(F; 1) | Out-GridView\n$x.a.b",
        "1",
    ),
    "the environment": ("$env:A = 'x'\n$($env:A = 'y'; 1) | Out-GridView\n$env:A", "x"),
    "a function": ("function F { 1 }\n$(function F { 2 }; 1) | Out-GridView\nF", "1"),
}


@pytest.mark.parametrize(("script", "value"), _VALUES.values(), ids=_VALUES.keys())
def test_values_are_what_they_were_before_a_statement_that_was_not_run(
    machine: WindowsMachine, script: str, value: str
) -> None:
    told = run(machine, script)
    assert (told.out[-1], len(told.unknown), told.code) == (value, 1, 0)


_AFTER = {
    "what was assigned": "$x = Get-Thing\nSet-Content C:\\x $x",
    "what was assigned anew": "$x = 1\n$x = Get-Thing\nSet-Content C:\\x $x",
    "what was added": "$x = @()\n$x += Get-Thing\nSet-Content C:\\x $x.Count",
    "a part of it": "$x = @{}\n$x.a = Get-Thing\nif ($x.b) { 1 } else { Set-Content C:\\x 'a' }",
    "what a branch would have set": (
        "$x = 1\nif (Get-Thing) {\n $x = 2\n}\nif ($x -eq 1) { Set-Content C:\\x 'a' }"
    ),
    "what a function puts out": (
        "function F {\n Get-Thing\n}\n$x = F\nif (-not $x) { Set-Content C:\\x 'a' }"
    ),
    "a string with it": 'Set-Content C:\\x "a$(Get-Thing)"',
    "in strict mode": "Set-StrictMode -Version 2.0\n$x = Get-Thing\nSet-Content C:\\x $x",
}


@pytest.mark.parametrize("script", _AFTER.values(), ids=_AFTER.keys())
def test_what_comes_from_a_statement_that_was_not_run_is_not_known_either(
    machine: WindowsMachine, script: str
) -> None:
    told = run(machine, f"$ErrorActionPreference = 'Stop'\n{script}\n'after'")
    assert (told.code, told.out[-1], told.err) == (0, "after", [])
    assert told.unknown[0] == "Get-Thing"
    assert len(told.unknown) == 2
    assert not machine.drive.exists(r"C:\x")


def test_errors_go_on_where_what_they_are_to_do_is_not_known(machine: WindowsMachine) -> None:
    told = run(machine, "$ErrorActionPreference = Get-Thing\n1 / 0\nGet-Item C:\\no\n'after'")
    assert (told.code, told.out[-1], len(told.err), told.unknown) == (0, "after", 2, ["Get-Thing"])


def test_a_variable_of_a_place_that_is_not_known_is_left_alone(machine: WindowsMachine) -> None:
    told = run(machine, "$using:n = 0\n'after'")
    assert (told.code, told.out[-1], told.unknown) == (0, "after", ["the variable $using:n"])


def test_a_value_that_is_known_again_is_used(machine: WindowsMachine) -> None:
    told = run(machine, "$x = Get-Thing\n$x = 'known'\n$x")
    assert told.out[-1] == "known"
    assert told.unknown == ["Get-Thing"]


def test_a_statement_inside_of_another_is_left_out_alone(machine: WindowsMachine) -> None:
    told = run(
        machine,
        "function F {\n Set-Content C:\\a 'a'\n Get-Thing | Out-Null\n Set-Content C:\\b 'b'\n}\n"
        "foreach ($i in 1, 2) {\n F\n}\nTest-Path C:\\a\nTest-Path C:\\b",
    )
    assert told.unknown == ["Get-Thing", "Get-Thing"]
    assert told.out[-2:] == ["True", "True"]


def test_unknown_arguments_are_not_evaluated_for_their_effects(machine: WindowsMachine) -> None:
    told = run(machine, "Install-Thing (Stop-Service W32Time)\n(Get-Service W32Time).Status")
    assert told.out[-1] == "Running"
    assert told.unknown == ["Install-Thing"]


_UNPARSED = {
    "an open brace": ("Set-Content C:\\x 'a'\nif ($true) {\n'b'", "At line:"),
    "an open string": ("Set-Content C:\\x 'a'\n$a = 'b", "At line:2"),
    "nonsense": ("Set-Content C:\\x 'a'\n)(", "At line:2 char:1"),
}


@pytest.mark.parametrize(("script", "place"), _UNPARSED.values(), ids=_UNPARSED.keys())
def test_a_script_that_does_not_parse_has_no_effect_and_says_where(
    machine: WindowsMachine, script: str, place: str
) -> None:
    before = everything(machine)
    told = run(machine, script)
    assert (told.code, told.out, told.unknown) == (1, [], [])
    assert told.err[0].startswith(place)
    assert everything(machine) == before


def test_a_script_may_be_empty_or_hold_comments_alone(machine: WindowsMachine) -> None:
    assert run(machine, "") == run(machine, "# nothing\n<# more #>\n") == Told(0, [], [], [])
