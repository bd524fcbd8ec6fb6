"""Cmdlets and .NET: what Windows PowerShell 5.1 documents, and what it leaves on the disk."""

from __future__ import annotations

import json

import pytest

from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import Case, Told, an_around, cases, run


@pytest.mark.parametrize("case", cases("cmdlets"), ids=lambda case: case.name)
def test_cmdlets_do_what_is_documented(machine: WindowsMachine, case: Case) -> None:
    assert run(machine, case.script) == Told(0, case.lines, [], [])


_BYTES = {
    "Set-Content writes the ANSI code page": ("Set-Content C:\\x 'ä€'", b"\xe4\x80\r\n"),
    "UTF-8 has a mark": ("Set-Content C:\\x 'ä' -Encoding UTF8", b"\xef\xbb\xbf\xc3\xa4\r\n"),
    "ASCII has no umlauts": ("Set-Content C:\\x 'aä' -Encoding ASCII", b"a?\r\n"),
    "Out-File writes UTF-16": ("'a' | Out-File C:\\x", b"\xff\xfea\0\r\0\n\0"),
    "a mark stands only at the start": (
        *("'a' | Out-File C:\\x -Encoding utf8; 'b' | Out-File C:\\x -Encoding utf8 -Append",),
        b"\xef\xbb\xbfa\r\nb\r\n",
    ),
    ".NET writes UTF-8": ("[IO.File]::WriteAllText('C:\\x', 'ä')", b"\xc3\xa4"),
    ".NET's own encoding has a mark": (
        *("[IO.File]::WriteAllText('C:\\x', 'a', [Text.Encoding]::UTF8)",),
        b"\xef\xbb\xbfa",
    ),
    "an encoding without a mark": (
        *("[IO.File]::WriteAllText('C:\\x', 'a', (New-Object Text.UTF8Encoding $false))",),
        b"a",
    ),
    "an encoding with a mark": (
        *("[IO.File]::WriteAllText('C:\\x', 'a', (New-Object System.Text.UTF8Encoding($true)))",),
        b"\xef\xbb\xbfa",
    ),
    "bytes": ("[IO.File]::WriteAllBytes('C:\\x', @(0, 255, 10))", b"\0\xff\n"),
    "a new item has just its value": ("New-Item C:\\x -Value 'a' | Out-Null", b"a"),
}


@pytest.mark.parametrize(("script", "content"), _BYTES.values(), ids=_BYTES.keys())
def test_a_file_has_the_bytes_that_windows_writes(
    machine: WindowsMachine, script: str, content: bytes
) -> None:
    assert run(machine, script) == Told(0, [], [], [])
    assert (machine.root / "C/x").read_bytes() == content


def test_text_is_read_in_the_encoding_that_its_mark_says_else_in_the_readers(
    machine: WindowsMachine,
) -> None:
    machine.drive.write_bytes(r"C:\marked", b"\xef\xbb\xbf\xc3\xa4")
    machine.drive.write_bytes(r"C:\plain", b"\xc3\xa4\n\x0bx")
    told = run(
        machine,
        "Get-Content C:\\marked; (Get-Content C:\\plain).Count; (Get-Content C:\\plain)[0]\n"
        "(Get-Content C:\\plain -Encoding UTF8)[0]; [IO.File]::ReadAllText('C:\\plain')[0]",
    )
    assert told == Told(0, ["ä", "2", "Ã¤", "ä", "ä"], [], [])


_REFUSED = {
    "a file in a folder that is not there": ("Set-Content C:\\no\\x 'a'", "part of the path"),
    "a file that is there": (
        "New-Item C:\\Windows\\Temp\\x; New-Item C:\\Windows\\Temp\\x",
        "exists",
    ),
    "a folder that is there": ("New-Item C:\\Windows -ItemType Directory", "already exists"),
    "a folder below a file": (
        "Set-Content C:\\f 'x'; New-Item C:\\f\\g -ItemType Directory",
        "already exists",
    ),
    "reading a folder": ("Get-Content C:\\Windows", "find file"),
    "reading nothing": ("Get-Content C:\\missing", "find file"),
    "removing nothing": ("Remove-Item C:\\missing", "does not exist"),
    "a folder that is not empty": ("Remove-Item C:\\Windows", "not empty"),
    "the drive": ("Remove-Item C:\\ -Recurse -Force", "in use"),
    "what is in use": (
        "Remove-Item C:\\ProgramData\\Amazon\\SSM\\Logs -Recurse",
        "another process",
    ),
    "what holds what is in use": (
        "Remove-Item C:\\ProgramData\\Amazon -Recurse",
        "another process",
    ),
    "a copy onto itself": ("Set-Content C:\\f 'x'; Copy-Item C:\\f C:\\f", "itself"),
    "a folder into itself": ("Copy-Item C:\\Windows C:\\Windows\\Temp -Recurse", "itself"),
    "a move to nowhere": ("Move-Item C:\\inetpub C:\\no\\x", "part of the path"),
    "a move onto a file": (
        "Set-Content C:\\f 'x'; Set-Content C:\\g 'y'; Move-Item C:\\f C:\\g",
        "already exists",
    ),
    "a name that is a path": ("Rename-Item C:\\inetpub 'a\\b'", "new name"),
    "no path": ("Get-Item $null", "Path"),
    "an empty path": ("Test-Path ''", "Path"),
    "a key that is there": (
        "New-Item HKLM:\\SOFTWARE\\A | Out-Null; New-Item HKLM:\\SOFTWARE\\A",
        "already exists",
    ),
    "a value of a key that is not there": (
        "Set-ItemProperty HKLM:\\SOFTWARE\\Missing -Name a -Value 1",
        "does not exist",
    ),
    "a value that is there": (
        "New-Item HKLM:\\SOFTWARE\\A | Out-Null\n"
        "New-ItemProperty HKLM:\\SOFTWARE\\A -Name a -Value 1\n"
        "New-ItemProperty HKLM:\\SOFTWARE\\A -Name a -Value 2",
        "already exists",
    ),
    "a value that is not there": (
        "Get-ItemPropertyValue HKLM:\\SOFTWARE\\Microsoft\\Cryptography -Name Nothing",
        "does not exist",
    ),
    "a key with keys below": (
        "Remove-Item HKLM:\\SOFTWARE\\Microsoft\\SystemCertificates",
        "-Recurse",
    ),
    "a key that is not there": ("Remove-Item HKLM:\\SOFTWARE\\Missing", "does not exist"),
    "a service that is not there": ("Stop-Service Nothing", "Nothing"),
    "a log that is not there": ("Clear-EventLog -LogName Nothing", "Nothing"),
    "a variable that is not there": ("Remove-Item Env:\\NOTHING", "does not exist"),
}


@pytest.mark.parametrize(("script", "said"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_cmdlet_says_what_it_cannot_do(machine: WindowsMachine, script: str, said: str) -> None:
    before = sorted(path for path in (machine.root / "C").rglob("*"))
    told = run(machine, f"{script}\n'after'")
    assert (told.code, told.out[-1], told.unknown) == (0, "after", [])
    assert said in told.err[-1]
    assert {p for p in before if p.is_dir()} <= set((machine.root / "C").rglob("*"))


def test_what_is_in_use_goes_when_its_service_has_stopped(machine: WindowsMachine) -> None:
    logs = r"C:\ProgramData\Amazon\SSM\Logs"
    assert run(machine, f"Remove-Item {logs} -Recurse").err
    told = run(
        machine, f"Stop-Service AmazonSSMAgent\nRemove-Item {logs} -Recurse\nTest-Path {logs}"
    )
    assert told == Told(0, ["False"], [], [])


def test_one_path_that_fails_does_not_keep_the_others(machine: WindowsMachine) -> None:
    told = run(
        machine,
        "Set-Content C:\\a 'a'; Set-Content C:\\b 'b'\n"
        "Get-Content 'C:\\a', 'C:\\missing', 'C:\\b'\n"
        "Remove-Item 'C:\\missing', 'C:\\a', 'C:\\b' -ErrorAction SilentlyContinue\n"
        "Test-Path C:\\b",
    )
    assert (told.code, told.out, len(told.err)) == (0, ["a", "b", "False"], 1)


def test_what_a_script_changed_is_on_the_disk(machine: WindowsMachine) -> None:
    run(
        machine,
        "New-Item HKLM:\\SOFTWARE\\A -Force | Out-Null; Stop-Service W32Time\n"
        "Set-ItemProperty HKLM:\\SOFTWARE\\A -Name List -Value @('a', 1)",
    )
    machine.save()
    later = WindowsMachine(machine.root, an_around())
    assert later.registry.get(r"HKLM:\SOFTWARE\a", "LIST") == ["a", "1"]
    assert later.state["services"]["W32Time"] == "Stopped"


def test_sleep_takes_simulated_seconds(machine: WindowsMachine) -> None:
    slept: list[float] = []
    waiting = WindowsMachine(machine.root, an_around(slept=slept))
    told = run(waiting, "Start-Sleep 5; Start-Sleep -Seconds 1.5; Start-Sleep -Milliseconds 250")
    assert (slept, told.unknown) == ([5.0, 1.5, 0.25], [])


class _Service:
    """What the scripts ask of a client of the local AWS."""

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": f"secret of {SecretId}"}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, dict[str, str]]:  # noqa: N803
        return {"Parameter": {"Value": f"{Name} {WithDecryption}"}}


def test_secrets_and_parameters_are_asked_of_the_local_aws(machine: WindowsMachine) -> None:
    asking = WindowsMachine(machine.root, an_around(client=lambda _: _Service()))
    told = run(
        asking,
        "(Get-SECSecretValue -SecretId arn:x).SecretString\n"
        "(Get-SSMParameterValue -Name /a -WithDecryption $true).Parameters[0].Value",
    )
    assert told == Told(0, ["secret of arn:x", "/a True"], [], [])


def test_json_that_is_written_is_json(machine: WindowsMachine) -> None:
    told = run(machine, "ConvertTo-Json @{ a = @{}; b = @(); c = @(@{ d = 1.5 }) } -Depth 5")
    assert json.loads("\n".join(told.out)) == {"a": {}, "b": [], "c": [{"d": 1.5}]}
