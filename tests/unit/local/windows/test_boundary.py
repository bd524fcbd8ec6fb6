"""Nothing of the host is reached by any cmdlet or static that takes a path, whatever the path."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiln_local.windows.cmdlets import CMDLETS
from kiln_local.windows.dotnet import _FILES
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.machine import WindowsMachine
from kiln_local.windows.paths import parts
from tests.unit.local.windows.simulated import Told, run

pytestmark = pytest.mark.long

_SECRET = "the host's own"
# How each takes a path, in $p; $ok is a good path.
_TAKERS = {
    "test-path": "Test-Path -Path $p; Test-Path -LiteralPath $p; $p | Test-Path",
    "get-item": "Get-Item $p | ForEach-Object FullName; Get-Item -LiteralPath $p",
    "get-childitem": "Get-ChildItem $p -Recurse -Force | ForEach-Object FullName",
    "new-item": "New-Item $p -Force -Value 'changed'; New-Item $p -ItemType Directory",
    "new-item: below": "New-Item -Path 'C:\\' -Name $p -ItemType File -Force -Value 'changed'",
    "new-item: folder": 'New-Item "$p\\new" -ItemType Directory -Force; New-Item "$p\\new" -Force',
    "remove-item": "Remove-Item $p -Recurse -Force; Remove-Item -LiteralPath $p -Recurse -Force",
    "remove-item: below": 'Remove-Item "$p\\*" -Recurse -Force; Remove-Item "$p\\canary.txt"',
    "move-item: from": "Move-Item $p C:\\stolen",
    "move-item: to": "Move-Item $ok $p -Force",
    "copy-item: from": "Copy-Item $p C:\\stolen -Recurse; Get-Content C:\\stolen",
    "copy-item: to": "Copy-Item $ok $p -Recurse",
    "copy-item: over": "Copy-Item C:\\held\\* $p -Recurse; Copy-Item C:\\held\\canary.txt C:\\trap",
    "copy-item: folder over": (
        "Copy-Item C:\\held C:\\over -Recurse; Copy-Item C:\\trap C:\\out -Recurse"
    ),
    "rename-item": "Rename-Item $p renamed",
    "rename-item: to": "Rename-Item $ok $p",
    "get-content": 'Get-Content $p; Get-Content -LiteralPath $p -Raw; Get-Content "$p\\canary.txt"',
    "set-content": "Set-Content $p 'changed'; Set-Content -LiteralPath $p -Value 'changed'",
    "add-content": "Add-Content $p 'changed'; 'changed' | Add-Content $p",
    "out-file": "'changed' | Out-File $p; 'changed' | Out-File -LiteralPath $p -Append",
    "get-itemproperty": "Get-ItemProperty $p",
    "get-itempropertyvalue": "Get-ItemPropertyValue $p -Name a",
    "set-itemproperty": "Set-ItemProperty $p -Name a -Value 'changed'",
    "new-itemproperty": "New-ItemProperty $p -Name a -Value 'changed'",
    "remove-itemproperty": "Remove-ItemProperty $p -Name a",
    "io.file::writealltext": "[IO.File]::WriteAllText($p, 'changed')",
    "io.file::appendalltext": "[IO.File]::AppendAllText($p, 'changed')",
    "io.file::readalltext": "[IO.File]::ReadAllText($p)",
    "io.file::readallbytes": "[Text.Encoding]::UTF8.GetString([IO.File]::ReadAllBytes($p))",
    "io.file::writeallbytes": "[IO.File]::WriteAllBytes($p, @(1))",
    "io.file::exists": "[IO.File]::Exists($p)",
    "io.directory::exists": "[IO.Directory]::Exists($p)",
    "invoke-webrequest": "Invoke-WebRequest https://example.org -UseBasicParsing -OutFile $p",
    "icacls": "& icacls.exe $p '/inheritance:r' '/grant:r' '*S-1-5-18:(OI)(CI)F'",
    "xml: save": "([xml]'<changed/>').Save($p)",
    "program": '& $p; & "$p\\canary.txt"; & powershell.exe -File $p',
    "pipe": "$p | Get-Item; $p | Get-Content; $p | Remove-Item -Recurse",
}
# What they look like. {host} is the folder that holds the canary, as a POSIX path.
_BAD = {
    "dots": r"C:\..\..\canary.txt",
    "many dots": r"C:\Windows\..\..\..\..\..\..\..\canary.txt",
    "dots to a folder": r"C:\..\..",
    "dots without a drive": r"..\..\canary.txt",
    "slashed dots": "C:/../../canary.txt",
    "dots with blanks": "C:\\.. \\.. \\canary.txt",
    "three dots": r"C:\...\...\canary.txt",
    "a path of the host": "{host}/canary.txt",
    "a path of the host behind the drive": "C:{host}/canary.txt",
    "a drive without a root": "C:..\\..\\canary.txt",
    "a folder of the host": "{host}",
    "another drive": r"Z:\canary.txt",
    "a share": r"\\localhost\c$\canary.txt",
    "a long path": r"\\?\C:\..\..\canary.txt",
    "a device path": r"\\.\C:\canary.txt",
    "the provider's": r"FileSystem::C:\..\..\canary.txt",
    "the module's": r"Microsoft.PowerShell.Core\FileSystem::{host}/canary.txt",
    "another provider": r"Cert:\LocalMachine\My",
    "a URL": "file://{host}/canary.txt",
    "a link to a file": r"C:\link.txt",
    "a link to a folder": r"C:\linked",
    "below a link": r"C:\linked\canary.txt",
    "below a link in other letters": r"c:\LINKED\CANARY.TXT",
    "a link in a folder": r"C:\trap\canary.txt",
    "a dangling link": r"C:\dangling",
    "a link to the drive's own outside": r"C:\up\canary.txt",
    "NUL in it": "C:\\a\0b",
    "NUL at its end": "C:\\canary.txt\0.log",
    "a line in it": "C:\\a\nb",
    "a device": r"C:\NUL",
    "a device in a folder": r"C:\Windows\con",
    "a device with an ending": r"C:\aux.txt",
    "a device with a number": r"C:\COM1",
    "a device with blanks": "C:\\nul .txt",
    "a stream": r"C:\inetpub\x.txt:hidden",
    "a stream of a folder": r"C:\Windows::$INDEX_ALLOCATION",
    "quotes": 'C:\\"x"',
    "a pipe": "C:\\a|b",
    "a long name": "C:\\" + "n" * 300,
    "a long name in bytes": "C:\\" + "\N{EURO SIGN}" * 100,
    "a tilde": "~/canary.txt",
    "nothing": " ",
}


@pytest.fixture
def host(machine: WindowsMachine, tmp_path: Path) -> Path:
    """The folder around the machine, with a canary, and links to it in the machine's drive."""
    (tmp_path / "canary.txt").write_text(_SECRET)
    _set(machine, tmp_path)
    return tmp_path


def _set(machine: WindowsMachine, host: Path) -> None:
    """Links and files in the drive, as they are to be before each path is tried."""
    drive = machine.root / "C"
    for name, content in {"held/canary.txt": "changed", "ok.txt": "changed"}.items():
        (drive / name).parent.mkdir(exist_ok=True)
        (drive / name).write_text(content)
    (drive / "over" / "held").mkdir(parents=True, exist_ok=True)
    (drive / "trap").mkdir(exist_ok=True)
    for name, target in {
        **dict.fromkeys(("link.txt", "trap/canary.txt"), host / "canary.txt"),
        "linked": host,
        "dangling": host / "new.txt",
        "up": Path("../.."),
        "over/held/canary.txt": host / "canary.txt",
    }.items():
        if not (drive / name).is_symlink():
            (drive / name).unlink(missing_ok=True)
            (drive / name).symlink_to(target)


def _outside(host: Path) -> dict[str, str]:
    return {p.name: p.read_text() if p.is_file() else "" for p in host.iterdir()}


def _links(machine: WindowsMachine) -> set[Path]:
    return {path for path in (machine.root / "C").rglob("*") if path.is_symlink()}


@pytest.mark.parametrize("script", _TAKERS.values(), ids=_TAKERS.keys())
def test_no_path_leads_out_of_the_machine(machine: WindowsMachine, host: Path, script: str) -> None:
    before, links = _outside(host), _links(machine)
    for name, bad in _BAD.items():
        path = bad.replace("{host}", str(host))
        _set(machine, host)
        told = run(machine, f"$p = $env:P\n$ok = 'C:\\ok.txt'\n{script}", P=path)
        said = "\n".join([*told.out, *told.err])
        assert _SECRET not in said, name
        assert _outside(host) == before, name
    assert _links(machine) <= links
    inside = [p for p in machine.root.rglob("*") if p.is_file() and not p.is_symlink()]
    assert not [p for p in inside if _SECRET.encode() in p.read_bytes()]
    assert {path.name for path in machine.root.iterdir()} <= {"C", "registry.json", "state.json"}


def test_every_cmdlet_and_static_that_takes_a_path_is_in_the_table() -> None:
    named = {name.partition(":")[0] if "::" not in name else name for name in _TAKERS}
    taking = {n for n, (wanted, _) in CMDLETS.items() if {"path", "filepath"} & set(wanted.values)}
    # These two only put text together.
    assert taking - {"join-path", "split-path"} <= named
    assert set(_FILES) <= named


_PLAIN = {
    r"C:\Windows\Temp": ["Windows", "Temp"],
    "c:/windows/": ["windows"],
    "C:\\": [],
    r"C:\a\.\b": ["a", "b"],
    r"C:\a\\b": ["a", "b"],
    r"C:\a\..\b": ["b"],
    r"C:\..\..\b": ["b"],
    "C:\\a. \\b..": ["a", "b"],
    r"C:\nulls\console": ["nulls", "console"],
    r"C:\.hidden\com10": [".hidden", "com10"],
    "C:\\a[1]'b $c": ["a[1]'b $c"],
}


@pytest.mark.parametrize(("path", "names"), _PLAIN.items())
def test_a_plain_path_is_its_names(path: str, names: list[str]) -> None:
    assert parts(path) == names


# A path that Windows would take lies below the drive; the links are only found on the disk.
_BELOW = ("dots", "many dots", "slashed dots", "dots to a folder", "dots with blanks")
_OTHERS = {n: p for n, p in _BAD.items() if n not in _BELOW and "link" not in n}


@pytest.mark.parametrize("path", _OTHERS.values(), ids=_OTHERS.keys())
def test_a_path_that_is_not_plain_is_refused_by_its_text(path: str) -> None:
    with pytest.raises((NotHere, ScriptError)):
        parts(path)


@pytest.mark.parametrize("path", _BAD.values(), ids=_BAD.keys())
def test_a_path_is_refused_or_lies_below_the_drive(path: str) -> None:
    try:
        found = parts(path)
    except (NotHere, ScriptError):
        return
    assert not {"..", ".", ""} & set(found)
    assert not any("/" in name or "\\" in name or "\0" in name for name in found)


def test_links_are_not_listed_and_a_copy_leaves_them_behind(
    machine: WindowsMachine, host: Path
) -> None:
    told = run(
        machine,
        "(Get-ChildItem C:\\trap).Count; Test-Path C:\\link*\nCopy-Item C:\\trap C:\\n -Recurse",
    )
    assert told == Told(0, ["0", "False"], [], [])
    assert not list((machine.root / "C/n").iterdir())
    assert (host / "canary.txt").read_text() == _SECRET


def test_removing_a_folder_removes_a_link_and_not_what_it_leads_to(
    machine: WindowsMachine, host: Path
) -> None:
    assert run(machine, "Remove-Item C:\\trap -Recurse") == Told(0, [], [], [])
    assert (host / "canary.txt").read_text() == _SECRET
