"""Action modules as PowerShell scripts. A document's texts stand in quotes in each command."""

from __future__ import annotations

import re
from collections.abc import Callable

from kiln_cli.elsewhere.beside import LARGEST_CONTENT
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import file_powershell, powershell_text

quoted = powershell_text
_HEAD = "$ErrorActionPreference = 'Stop'\n"
_S3 = re.compile(r"^s3://([a-z0-9.-]{3,63})/(.+)$")
# New-ItemProperty's types by AWSTOE's; numbers are written without quotes.
_TYPES = {
    "REG_SZ": "String",
    "STRING": "String",
    "REG_EXPAND_SZ": "ExpandString",
    "EXPANDSTRING": "ExpandString",
    "REG_DWORD": "DWord",
    "DWORD": "DWord",
    "REG_QWORD": "QWord",
    "QWORD": "QWord",
    "REG_MULTI_SZ": "MultiString",
    "MULTISTRING": "MultiString",
}


def _create_file(settings: Settings) -> str | None:
    path, content = settings.text("path"), settings.text("content") or ""
    settings.flag("overwrite")
    settings.take("encoding")
    if not path or len(content.encode()) > LARGEST_CONTENT:
        return None
    return file_powershell(path, content.encode())


def _create_folder(settings: Settings) -> str | None:
    path = settings.text("path")
    settings.flag("overwrite")
    if not path:
        return None
    return f"{_HEAD}New-Item -ItemType Directory -Force -Path {quoted(path)} | Out-Null\n"


def _delete(flags: str) -> Callable[[Settings], str | None]:
    def made(settings: Settings) -> str | None:
        path = settings.text("path")
        settings.flag("force")
        return f"{_HEAD}Remove-Item {flags} -Path {quoted(path)}\n" if path else None

    return made


def _two(command: str) -> Callable[[Settings], str | None]:
    def made(settings: Settings) -> str | None:
        source, destination = settings.text("source"), settings.text("destination")
        settings.flag("overwrite")
        if not source or not destination:
            return None
        return f"{_HEAD}{command} -Path {quoted(source)} -Destination {quoted(destination)}\n"

    return made


def _registry(settings: Settings) -> str | None:
    path, name = settings.text("path"), settings.text("name")
    kind = _TYPES.get((settings.text("type") or "REG_SZ").upper())
    value = settings.text("value") or ""
    if not path or not name or not kind:
        return None
    number = kind in ("DWord", "QWord")
    if number and not re.fullmatch(r"\d{1,20}|0x[0-9A-Fa-f]{1,16}", value, re.ASCII):
        settings.want("value", f"{value[:40]!r} is no number")
        return None
    shown = value if number else quoted(value)
    # HKEY_LOCAL_MACHINE\... is a provider's path only with its provider.
    place = quoted(path if re.match(r"^HK[A-Z]{1,3}:", path) else f"Registry::{path}")
    return (
        f"{_HEAD}$path = {place}\n"
        "if (-not (Test-Path -Path $path)) { New-Item -Path $path -Force | Out-Null }\n"
        f"New-ItemProperty -Path $path -Name {quoted(name)} -PropertyType {kind} "
        f"-Value {shown} -Force | Out-Null\n"
    )


def _execute(settings: Settings) -> str | None:
    path, arguments = settings.text("path"), settings.texts("arguments")
    if not path:
        return None
    return f"& {' '.join([quoted(path), *map(quoted, arguments)])}\nexit $LASTEXITCODE\n"


def _download(settings: Settings) -> str | None:
    found, destination = _S3.match(settings.text("source") or ""), settings.text("destination")
    settings.flag("overwrite")
    if not found or not destination or found[2].endswith("*"):
        return None
    settings.drop_if("expectedBucketOwner", "the builder's profile says which buckets it may read")
    settings.assume("source", "the builder's profile must be allowed to read it")
    return (
        f"{_HEAD}Read-S3Object -BucketName {quoted(found[1])} -Key {quoted(found[2])} "
        f"-File {quoted(destination)} | Out-Null\n"
    )


def _web(settings: Settings) -> str | None:
    source, destination = settings.text("source") or "", settings.text("destination")
    settings.flag("overwrite")
    if not re.match(r"^https?://", source) or not destination:
        return None
    if settings.flag("ignoreCertificateErrors"):
        settings.drop("ignoreCertificateErrors", "a certificate that is wrong fails the step")
    checksum = settings.text("checksum")
    algorithm = (settings.text("algorithm") or "SHA256").upper().replace("-", "")
    made = (
        f"{_HEAD}$path = {quoted(destination)}\n"
        f"Invoke-WebRequest -UseBasicParsing -Uri {quoted(source)} -OutFile $path\n"
    )
    if checksum and algorithm in ("MD5", "SHA1", "SHA256", "SHA512"):
        made += (
            f"$found = (Get-FileHash -Algorithm {algorithm} -Path $path).Hash\n"
            f'if ($found -ne {quoted(checksum)}) {{ throw "$path has the checksum $found" }}\n'
        )
    elif checksum:
        settings.want("checksum", "is none that can be checked here")
    return made


def _msi(flag: str) -> Callable[[Settings], str | None]:
    def made(settings: Settings) -> str | None:
        path = settings.text("path")
        settings.drop_if("reboot", "a script must not restart the machine; write `reboot: true`")
        if not path:
            return None
        # 3010 asks for a restart, which a step's exit code does.
        return (
            f"$path = {quoted(path)}\n"
            f"$run = Start-Process msiexec.exe -Wait -PassThru -ArgumentList "
            f"'{flag}', ('\"' + $path + '\"'), '/qn', '/norestart'\n"
            "exit $run.ExitCode\n"
        )

    return made


ACTIONS: dict[str, Callable[[Settings], str | None]] = {
    "CopyFile": _two("Copy-Item -Force"),
    "CopyFolder": _two("Copy-Item -Recurse -Force"),
    "CreateFile": _create_file,
    "CreateFolder": _create_folder,
    "DeleteFile": _delete("-Force"),
    "DeleteFolder": _delete("-Recurse -Force"),
    "ExecuteBinary": _execute,
    "InstallMSI": _msi("/i"),
    "MoveFile": _two("Move-Item -Force"),
    "MoveFolder": _two("Move-Item -Force"),
    "S3Download": _download,
    "SetRegistry": _registry,
    "UninstallMSI": _msi("/x"),
    "WebDownload": _web,
}
