"""Windows, from Server 2012 R2 to 2025, with Sysprep and without: baked on simulated machines.

`make matrix` bakes every server both ways; `make long` one of each launch agent. What the agents
make of their files is tested in `tests/unit/local/windows`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.platforms import PLATFORMS, Architecture, Family
from kiln_cli.opening import Opened
from kiln_cli.result import BakeResult
from tests.e2e.running import bake, kiln

pytestmark = pytest.mark.long

SERVERS = [p.name for p in PLATFORMS.values() if p.family is Family.WINDOWS]
ROWS = [(platform, sysprep) for platform in SERVERS for sysprep in (True, False)]
SAMPLE = [("windows-2012-r2", True), ("windows-2019", False), ("windows-2025", True)]
WHOLE = os.environ.get("KILN_MATRIX") == "whole"
GENERALISED = {"hostname", "machine_guid", "computer_sid"}
STOP = "$ErrorActionPreference = 'Stop'\n"
ROOT_STORE = r"HKLM:\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates"
PASSWORD = "Correct-Horse-9!"

PLANT = (
    STOP
    + rf"""
New-Item -Path 'C:\srv\shop' -ItemType Directory -Force | Out-Null
Set-Content -Path 'C:\srv\shop\price.txt' -Value "10 €" -Encoding UTF8
New-Item -Path 'C:\build\cache' -ItemType Directory -Force | Out-Null
Set-Content -Path 'C:\build\cache\half.tmp' -Value 'half'
Set-Content -Path 'C:\Windows\Temp\kept.log' -Value 'kept'
New-Item -Path '{ROOT_STORE}\AB12' -Force | Out-Null
$history = 'C:\Users\Administrator\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine'
New-Item -Path $history -ItemType Directory -Force | Out-Null
Set-Content -Path "$history\ConsoleHost_history.txt" -Value 'net user'
"""
)
PROVE = (
    STOP
    + rf"""
if ((Get-Content -Path 'C:\srv\shop\price.txt' -Encoding UTF8) -ne '10 €') {{ throw 'the price' }}
if (-not (Test-Path -Path 'C:\Windows\Temp\kept.log')) {{ throw 'what was to be kept' }}
if (-not (Test-Path -Path '{ROOT_STORE}\AB12')) {{ throw 'the certificate' }}
if (Test-Path -Path 'C:\build\cache') {{ throw 'the cache is there' }}
$history = 'C:\Users\Administrator\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine'
if (Test-Path -Path "$history\ConsoleHost_history.txt") {{ throw 'the history is there' }}
"""
)
CLEAN = {"also_remove": [r"C:\build\cache"], "keep": [r"C:\Windows\Temp\kept.log"]}


def a_file(folder: Path, *steps: Any, platform: str = "windows-2022", **changes: Any) -> Path:
    """A blueprint for Windows whose steps are scripts, or whole steps."""
    named = [
        step if isinstance(step, dict) else {"name": f"step {number}", "powershell": step}
        for number, step in enumerate(steps)
    ]
    document = {
        "kind": "blueprint",
        "name": platform,
        "platform": platform,
        "base": {"parameter": PLATFORMS[platform].newest_base(Architecture.X86_64)},
        "builder": {"instance_types": ["m6i.large"]},
        "steps": named,
    }
    path = folder / "windows.yaml"
    path.write_text(yaml.safe_dump(document | changes, allow_unicode=True))
    return path


def printed(at: Opened, result: BakeResult) -> Iterator[str]:
    """Everything that a bake's commands printed, and whatever else it left in Kiln's bucket."""
    s3, bucket = at.place.client("s3"), at.place.outputs["BucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"bakes/{result.bake.id}/")
    for entry in found["Contents"]:
        yield s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("platform", "sysprep"), ROWS if WHOLE else SAMPLE)
def test_every_server_bakes_with_sysprep_and_without(
    platform: str, sysprep: bool, at: Opened, tmp_path: Path
) -> None:
    path = a_file(
        tmp_path,
        PLANT,
        {"name": "restart", "reboot": True},
        platform=platform,
        windows={"sysprep": sysprep},
        clean=CLEAN,
        verify={"steps": [{"name": "prove", "powershell": PROVE}]},
    )
    result = bake(path, at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    assert result.leaks == ()
    assert result.identity is not None
    builder, clone = result.identity.builder, result.identity.clone
    assert all(value and clone[name] != value for name, value in builder.items())
    assert (set(builder) >= GENERALISED) is sysprep
    assert set(builder) >= {"ssm_instance_id", "ssm_registration"}
    assert not any(command.ran for command in result.commands)
    assert all("PowerShell did not run" in (c.why_not or "") for c in result.commands)
    assert not [text for text in printed(at, result) if "not run here" in text]


def test_another_language_is_refused_before_anything_changes(at: Opened, tmp_path: Path) -> None:
    german = "/aws/service/ami-windows-latest/Windows_Server-2022-German-Full-Base"
    result = bake(a_file(tmp_path, PLANT, base={"parameter": german}), at)
    assert (result.bake.status, result.bake.error) == ("FAILED", "Unsupported")
    assert "UI language is de-DE; only en-US is supported" in (result.bake.cause or "")
    assert [command.document for command in result.commands] == ["kiln-inspect-windows"]
    assert (result.image, result.leaks) == (None, ())


def test_another_server_than_the_blueprint_names_is_refused(at: Opened, tmp_path: Path) -> None:
    older = PLATFORMS["windows-2019"].newest_base(Architecture.X86_64)
    result = bake(a_file(tmp_path, PLANT, base={"parameter": older}), at)
    assert (result.bake.status, result.bake.error) == ("FAILED", "Unsupported")
    assert "Windows Server 2019" in (result.bake.cause or "")
    assert result.leaks == ()


def test_sysprep_that_stays_undeployable_ends_the_bake_with_its_own_log(
    at: Opened, tmp_path: Path
) -> None:
    """Defender's sensor keeps Sysprep from its end; see docs/local-aws.md."""
    sensor = r"New-Item -Path 'HKLM:\SYSTEM\CurrentControlSet\Services\Sense' -Force | Out-Null"
    result = bake(a_file(tmp_path, STOP + sensor), at)
    assert (result.bake.status, result.bake.error) == ("FAILED", "StopFailed")
    assert "IMAGE_STATE_UNDEPLOYABLE" in (result.bake.cause or "")
    assert "Sense" in (result.bake.cause or "").rpartition("Panther")[2]
    assert (result.image, result.leaks) == (None, ())


@pytest.mark.parametrize("kind", ["secret", "parameter"])
def test_a_given_password_is_set_and_stands_nowhere_else(
    kind: str, at: Opened, tmp_path: Path
) -> None:
    arn = a_secret(at) if kind == "secret" else a_parameter(at)
    config = r"C:\ProgramData\Amazon\EC2Launch\config\agent-config.yml"
    look = f"if ((Get-Content -Path '{config}' -Raw) -notmatch 'type: static') {{ throw 'type' }}"
    path = a_file(
        tmp_path,
        "Write-Output 'nothing to do'",
        windows={"administrator_password": {"secret": arn}},
        verify={"steps": [{"name": "look", "powershell": STOP + look}]},
    )
    result = bake(path, at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    states = at.place.client("stepfunctions")
    execution = at.place.execution(result.bake.id)
    history = states.get_execution_history(executionArn=execution, maxResults=1000)
    kept = at.place.world.records.bake(result.bake.id)
    assert kept is not None
    said = [json.dumps(result.as_json()), kept.model_dump_json(), repr(history["events"])]
    assert not [text for text in [*said, *printed(at, result)] if PASSWORD in text]
    assert any(arn in text for text in said)


def a_secret(at: Opened) -> str:
    made = at.place.client("secretsmanager").create_secret(Name="w/admin", SecretString=PASSWORD)
    return str(made["ARN"])


def a_parameter(at: Opened) -> str:
    ssm = at.place.client("ssm")
    ssm.put_parameter(Name="/w/admin", Value=PASSWORD, Type="SecureString")
    return str(ssm.get_parameter(Name="/w/admin")["Parameter"]["ARN"])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Write-Output 'half way'\nexit 5", "exited 5"),
        (STOP + "throw 'no licence'", "no licence"),
        ("if ($true {", "exited 1"),
        ("exit 168", "exit code 168 would count as success"),
    ],
)
def test_a_script_that_fails_is_named_with_its_end(
    script: str, said: str, at: Opened, tmp_path: Path
) -> None:
    result = bake(a_file(tmp_path, {"name": "licence", "powershell": script}), at)
    assert (result.bake.status, result.bake.error) == ("FAILED", "StepFailed")
    assert "step 'licence'" in (result.bake.cause or "")
    assert said in (result.bake.cause or "")
    assert result.leaks == ()


ONCE = (
    STOP
    + r"""
if (-not (Test-Path -Path 'C:\once')) {
    Set-Content -Path 'C:\once' -Value 'first'
    exit 3010
}
Add-Content -Path 'C:\once' -Value 'second'
"""
)
BOTH = (
    STOP
    + r"""
$lines = @(Get-Content -Path 'C:\once')
if (($lines -join ' ') -ne 'first second') { throw "it ran as $lines" }
"""
)


def test_a_script_that_asks_for_a_reboot_runs_again_after_it(at: Opened, tmp_path: Path) -> None:
    result = bake(a_file(tmp_path, ONCE, BOTH, windows={"sysprep": False}), at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)


HOSTILE = """'quoted' "double" `tick` $(Get-Date) {{ global:DATE }} %PATH% € ü"""


def test_strings_reach_a_script_as_they_are(at: Opened, tmp_path: Path) -> None:
    write = STOP + r"[IO.File]::WriteAllText('C:\given', $env:GIVEN)"
    literal = "'" + HOSTILE.replace("'", "''") + "'"
    check = STOP + rf"if ([IO.File]::ReadAllText('C:\given') -cne {literal}) {{ throw 'changed' }}"
    first = {"name": "it's `odd`", "powershell": write, "environment": {"GIVEN": HOSTILE}}
    verify = {"steps": [{"name": "check", "powershell": check}]}
    result = bake(a_file(tmp_path, first, windows={"sysprep": False}, verify=verify), at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"root_device": "instance-store"}, "root_device: Windows images are always EBS"),
        ({"builder": {"instance_types": ["m7g.large"]}}, "m7g.large runs arm64"),
        ({"windows": {"administrator_password": "specified"}}, "administrator_password: must be"),
        ({"windows": {"sysprep": "later"}}, "windows.sysprep: must be true or false"),
        ({"release_lock": "current"}, "release_lock: windows-2022 cannot be locked"),
        ({"steps": [{"name": "a", "shell": "echo"}]}, "shell does not run on Windows"),
        ({"clean": {"also_remove": ["/var/x"]}}, "clean.also_remove"),
        ({"clean": {"keep": ["C:\\Windows"]}}, "clean.keep"),
        ({"clean": {"also_remove": ["C:\\a\\..\\b"]}}, "clean.also_remove"),
        ({"chef": "12"}, "chef"),
    ],
)
def test_what_no_windows_image_can_be_is_refused_before_a_launch(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = a_file(tmp_path, "Write-Output 'a'", **changes)
    ended = kiln("bake", path, "--local")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert said in line
    assert ended.stdout == ""
