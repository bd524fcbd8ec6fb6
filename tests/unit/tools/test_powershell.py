"""The checker of PowerShell scripts: each rule catches a script that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.powershell import main, problems

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("if ($a {", "no PowerShell"),
        ("Get-A && Get-B", "&& came with PowerShell 7.0"),
        ("Get-A || Get-B", "|| came with PowerShell 7.0"),
        ("$a = $b ? 1 : 2", "no PowerShell"),
        ("$a = $b ?? 1", "no PowerShell"),
        ("$a | ForEach-Object -Parallel { $_ }", "foreach-object -parallel"),
        ("$a | ConvertFrom-Json -AsHashtable", "convertfrom-json -ashashtable"),
        ("Get-Content -Path x -AsByteStream", "get-content -asbytestream"),
        ("Set-Content -Path x -Value y -Encoding utf8NoBOM", "utf8nobom came with PowerShell 6.0"),
        ("Get-Error", "get-error came with PowerShell 7.0"),
        ("Split-Path -LeafBase x", "split-path -leafbase"),
        ("if ($IsWindows) { Get-A }", "$iswindows came with PowerShell 6.0"),
        ("if ($IsCoreCLR) { Get-A }", "$iscoreclr came with PowerShell 6.0"),
        ('$a = "`u{2713}"', "`u{ came with PowerShell 6.0"),
        ('@"\n``e `e[31m\n"@', "`e came with PowerShell 6.0"),
        ("$a = 0b1010", "0b1010 came with PowerShell 7.0"),
        ("$a = 10u", "10u came with PowerShell 6.2"),
        ("'a'..'e'", "the range 'a'..'e' came with PowerShell 6.0"),
        ("[semver]'1.0.0'", "[semver] came with PowerShell 6.0"),
        ("[System.Text.Json.JsonSerializer]::Serialize($a)", "[system.text.json.jsonserializer]"),
        ("Join-Path $a 'b' 'c'", "join-path with more than two parts"),
        ("Start-ThreadJob -ScriptBlock { Get-A }", "start-threadjob came with PowerShell 6.1"),
        ("Start-Process -FilePath a -Environment @{A = 'b'}", "start-process -environment"),
        ("Invoke-WebRequest -Uri u -SkipHttpErrorCheck", "invoke-webrequest -skiphttperrorcheck"),
        ("Invoke-RestMethod -Uri u -MaximumRetryCount 3", "invoke-restmethod -maximumretrycount"),
        ("Invoke-RestMethod -StatusCodeVariable s", "invoke-restmethod -statuscodevariable"),
        ("$a | Measure-Object -AllStats", "measure-object -allstats"),
        ("$a | Where-Object -Not -Property b", "where-object -not"),
        ("ConvertTo-Csv -InputObject $a -UseQuotes Never", "convertto-csv -usequotes"),
        ("gci C:\\", "gci is an alias"),
        ("$a | ? { $_ }", "? is an alias"),
    ],
)
def test_what_windows_powershell_does_not_know_is_found(script: str, said: str) -> None:
    found = list(problems(f"Set-StrictMode -Version 2.0\n{script}\n"))
    assert found
    assert found[0][0] == 2
    assert any(said in text for _, text in found), found


@pytest.mark.parametrize(
    "script",
    [
        "'a && b ?? c'",
        "# gci is an alias\nGet-ChildItem -Path C:\\",
        "$a | ForEach-Object { $_ -replace 'a', 'b' }",
        'Write-Output "$($a.Count) || $b"',
        "$a | ConvertFrom-Json",
        '$a = "``e `n `t `${b}"',
        "Join-Path -Path $a -ChildPath b",
        "Join-Path $a 'b' 2>$null",
        "7z x a.zip",
        "1..10",
        "[Text.Encoding]::UTF8.GetString($a)",
    ],
)
def test_what_it_knows_passes(script: str) -> None:
    assert list(problems(script)) == []


@pytest.mark.parametrize(
    "script",
    [
        "[IO.FileInfo]::New('a')",
        "New-Item -ItemType SymbolicLink -Path a -Value b",
        "New-Item -Path a -ItemType 'Junction' -Value b",
        "Select-Object -InputObject $a -SkipLast 1",
        "Write-Host a -InformationAction Continue",
        "Write-Host a 6>&1",
        "Get-Package",
        "Disable-LocalUser -Name a",
        "Import-PowerShellDataFile -Path a",
    ],
)
def test_what_server_2012_r2_does_not_know_is_found_in_a_document(script: str) -> None:
    assert list(problems(script, 4.0))
    assert list(problems(script, 5.1)) == []


def test_every_script_of_the_documents_passes(capsys: pytest.CaptureFixture[str]) -> None:
    windows = [str(p) for p in sorted((ROOT / "documents").glob("*.yaml"))]
    assert main(windows) == 0
    assert capsys.readouterr().out == "powershell: 16 scripts\n"


def test_a_broken_document_is_named_with_its_step_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.ps1").write_text("Get-A\nGet-Error\n")
    assert main([str(tmp_path / "a.ps1")]) == 1
    said = "a.ps1:2: get-error came with PowerShell 7.0; 5.1 has to run it"
    assert capsys.readouterr().out.splitlines()[0] == said
