"""The launch agents: what a first boot does, what a seal schedules, what the clone then did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiln_local.machines.agent import DocumentRun
from kiln_local.windows.launching import _BUNDLE, _CONFIG, _V1, _V2, _V2_LOG
from kiln_local.windows.machine import WindowsMachine
from kiln_local.windows.registry import Registry
from tests.unit.local.windows.simulated import (
    PLATFORMS,
    a_builder,
    a_clone,
    a_machine,
    again,
    an_around,
    run,
    send,
)

pytestmark = pytest.mark.long

_OLD, _V1_ONES, _V2_ONES = PLATFORMS[:1], PLATFORMS[1:3], PLATFORMS[3:]
_CRYPTOGRAPHY = r"HKLM:\SOFTWARE\Microsoft\Cryptography"
_STATE = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State"


def _sealed(machine: WindowsMachine, sysprep: str, reference: str = "") -> DocumentRun:
    send(machine, "kiln-clean-windows", Bake="b-1", Blueprint="b")
    return send(machine, "kiln-seal-windows", Sysprep=sysprep, PasswordReference=reference)


def _plugins(machine: WindowsMachine) -> dict[str, str]:
    told = run(
        machine,
        f"[xml]$x = Get-Content '{_CONFIG}' -Raw\n"
        "foreach ($p in $x.SelectNodes('//Plugin')) { \"$($p.Name)=$($p.State)\" }",
    )
    return dict(line.split("=") for line in told.out)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_first_boot_sets_a_random_password_and_handles_user_data(
    tmp_path: Path, platform: str
) -> None:
    machine = a_machine(tmp_path / "m", platform)
    machine.boot("i-0builder", b"<powershell>1</powershell>")
    assert machine.state["done"] == ["password random", "user data of 26 bytes"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_later_boot_does_neither(tmp_path: Path, platform: str) -> None:
    machine = a_builder(tmp_path / "m", platform)
    machine.boot("i-0builder", b"data")
    assert again(machine).state["done"] == []
    assert machine.state["boots"] == 2


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_image_that_was_not_sealed_gives_clones_without_a_password(
    tmp_path: Path, platform: str
) -> None:
    clone = a_clone(a_builder(tmp_path / "m", platform), tmp_path / "c", b"data")
    assert clone.state["done"] == []


@pytest.mark.parametrize("sysprep", ["true", "false"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_clone_of_a_sealed_image_gets_a_password_and_its_user_data_once(
    tmp_path: Path, platform: str, sysprep: str
) -> None:
    machine = a_builder(tmp_path / "m", platform)
    assert _sealed(machine, sysprep).status == "InProgress"
    clone = a_clone(again(machine), tmp_path / "c", b"data")
    assert clone.state["done"] == ["password random", "user data of 4 bytes"]
    clone.boot("i-0000000clone0001", b"data")
    assert clone.state["done"] == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_sysprep_gives_each_clone_an_identity_of_its_own(tmp_path: Path, platform: str) -> None:
    machine = a_builder(tmp_path / "m", platform)
    _sealed(machine, "true")
    assert _identity(again(machine))["image"] == "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
    clones = [a_clone(again(machine), tmp_path / name) for name in ("one", "two")]
    found = [_identity(each) for each in (machine, *clones)]
    for fact in ("guid", "sid", "name"):
        assert len({identity[fact] for identity in found}) == 3
    assert [_identity(clone)["image"] for clone in clones] == ["IMAGE_STATE_COMPLETE"] * 2


@pytest.mark.parametrize("platform", PLATFORMS)
def test_without_sysprep_clones_keep_the_builders_identity(tmp_path: Path, platform: str) -> None:
    machine = a_builder(tmp_path / "m", platform)
    _sealed(machine, "false")
    assert _identity(a_clone(again(machine), tmp_path / "c")) == _identity(machine)


def _identity(machine: WindowsMachine) -> dict[str, str]:
    registry = Registry(machine.root / "registry.json")
    state = json.loads((machine.root / "state.json").read_text())
    return {
        "guid": registry.get(_CRYPTOGRAPHY, "MachineGuid"),
        "sid": state["computer_sid"],
        "name": state["computer_name"],
        "image": registry.get(_STATE, "ImageState"),
    }


# ------------------------------------------------------------ what stands in the agents' files


@pytest.mark.parametrize("sysprep", ["true", "false"])
def test_ec2config_has_its_plugins_switched_on_and_they_switch_themselves_off(
    tmp_path: Path, sysprep: str
) -> None:
    machine = a_builder(tmp_path / "m", *_OLD)
    assert set(_plugins(machine).values()) == {"Disabled"}
    run(machine, f"(Get-Content '{_CONFIG}' -Raw) -match 'Ec2SetComputerName'")
    _sealed(machine, sysprep)
    on = {"Ec2SetPassword": "Enabled", "Ec2HandleUserData": "Enabled"}
    off = {"Ec2SetComputerName": "Disabled", "Ec2DynamicBootVolumeSize": "Disabled"}
    assert _plugins(again(machine)) == on | off
    clone = a_clone(again(machine), tmp_path / "c")
    assert set(_plugins(clone).values()) == {"Disabled"}


@pytest.mark.parametrize("platform", _V1_ONES)
@pytest.mark.parametrize("sysprep", ["true", "false"])
def test_ec2launch_v1_is_told_what_to_do(tmp_path: Path, platform: str, sysprep: str) -> None:
    machine = a_builder(tmp_path / "m", platform)
    run(
        machine,
        f"$c = Get-Content '{_V1}' -Raw | ConvertFrom-Json\n$c.setComputerName = $true\n"
        f"$c.handleUserData = $false\n$c.adminPasswordType = 'DoNothing'\n"
        f"[IO.File]::WriteAllText('{_V1}', (ConvertTo-Json $c))",
    )
    _sealed(machine, sysprep)
    config = json.loads(machine.drive.read(_V1))
    assert (config["setComputerName"], config["handleUserData"]) == (False, True)
    assert config["adminPasswordType"] == "Random"
    assert config["setWallpaper"] is True
    clone = a_clone(again(machine), tmp_path / "c")
    assert clone.state["done"] == ["password random", "user data of 0 bytes"]


@pytest.mark.parametrize("platform", _V2_ONES)
@pytest.mark.parametrize("sysprep", ["true", "false"])
def test_ec2launch_v2_has_its_tasks_and_no_host_name(
    tmp_path: Path, platform: str, sysprep: str
) -> None:
    machine = a_builder(tmp_path / "m", platform)
    task = "      - task: setHostName\n        inputs:\n          reboot: true\n"
    config = machine.drive.read(_V2).replace(
        "      - task: activate", f"{task}      - task: activate"
    )
    machine.drive.write(_V2, config)
    _sealed(machine, sysprep)
    left = machine.drive.read(_V2)
    assert "setHostName" not in left
    assert "reboot: true" not in left
    assert [part in left for part in ("type: random", "activateWindows", "startSsm")] == [True] * 3
    clone = a_clone(again(machine), tmp_path / "c")
    assert clone.drive.read(_V2_LOG) == "EC2Launch v2 has run\n"
    assert clone.state["done"] == ["password random", "user data of 0 bytes"]


_NAMING = {
    "windows-2012-r2": (
        _CONFIG,
        "SetComputerName</Name>\n      <State>Disabled",
        "Disabled",
        "Enabled",
    ),
    "windows-2016": (_V1, '"setComputerName": false', "false", "true"),
    "windows-2025": (_V2, "task: activateWindows", "activateWindows", "setHostName"),
}


@pytest.mark.parametrize("platform", _NAMING)
def test_an_agent_that_is_to_name_the_computer_names_it(tmp_path: Path, platform: str) -> None:
    file, place, old, new = _NAMING[platform]
    machine = a_machine(tmp_path / "m", platform)
    before = machine.drive.read(file)
    assert place in before
    machine.drive.write(file, before.replace(place, place.replace(old, new)))
    machine.boot("i-0abcdef12345678", b"")
    assert machine.state["done"][0] == "computer name IP-12345678"
    assert machine.state["computer_name"] == "IP-12345678"


# ------------------------------------------------------------ a password of one's own


class _Secrets:
    """A secret and a parameter, by name."""

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": f"it's {SecretId[-3:]}"}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, dict[str, str]]:  # noqa: N803
        return {"Parameter": {"Value": f"it's {Name[-3:]}"}}


_ARNS = (
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:abc",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/abc",
)


@pytest.mark.parametrize("reference", _ARNS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_specified_password_is_set_on_the_clone_and_never_printed(
    tmp_path: Path, platform: str, reference: str
) -> None:
    machine = a_builder(tmp_path / "m", platform, an_around(client=lambda _: _Secrets()))
    done = _sealed(machine, "true", reference)
    assert "it's abc" not in "".join(step.stdout + step.stderr for step in done.steps)
    clone = a_clone(again(machine), tmp_path / "c")
    assert clone.state["done"][0] == "password specified"


def test_ec2launch_v1_takes_the_password_out_of_its_file(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m", "windows-2019", an_around(client=lambda _: _Secrets()))
    _sealed(machine, "true", _ARNS[0])
    assert json.loads(machine.drive.read(_V1))["adminPassword"] == "it's abc"
    clone = a_clone(again(machine), tmp_path / "c")
    assert json.loads(clone.drive.read(_V1))["adminPassword"] == ""


def test_ec2config_gives_the_password_to_sysprep(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m", *_OLD, an_around(client=lambda _: _Secrets()))
    _sealed(machine, "true", _ARNS[0])
    name = "SetPasswordAfterSysprep</Name><Value>"
    assert f"{name}No</Value>" in machine.drive.read(_BUNDLE)
    assert "<Value>it's abc</Value>" in machine.drive.read(
        r"C:\Program Files\Amazon\Ec2ConfigService\sysprep2008.xml"
    )


def test_ec2launch_v2_quotes_the_password(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m", "windows-2025", an_around(client=lambda _: _Secrets()))
    _sealed(machine, "true", _ARNS[1])
    assert "type: static\r\n            data: 'it''s abc'\r\n" in machine.drive.read(_V2)


# ------------------------------------------------------------ the agents' programs

_PROGRAMS = {
    "EC2Launch v2 shuts down unless told": (
        *("windows-2022", r"C:\Program Files\Amazon\EC2Launch\EC2Launch.exe", "sysprep", "off"),
    ),
    "EC2Launch v2 is told": (
        *(
            "windows-2022",
            r"C:\Program Files\Amazon\EC2Launch\EC2Launch.exe",
        ),
        *("sysprep '--shutdown=false'", ""),
    ),
    "EC2Launch v1 shuts down unless told": (
        *("windows-2016", r"C:\ProgramData\Amazon\EC2-Windows\Launch\Scripts\SysprepInstance.ps1"),
        *("", "off"),
    ),
    "EC2Launch v1 is told": (
        *("windows-2016", r"C:\ProgramData\Amazon\EC2-Windows\Launch\Scripts\SysprepInstance.ps1"),
        *("-NoShutdown", ""),
    ),
}


@pytest.mark.parametrize(
    ("platform", "program", "arguments", "wants"), _PROGRAMS.values(), ids=_PROGRAMS.keys()
)
def test_sysprep_shuts_down_unless_it_is_told_not_to(
    tmp_path: Path, platform: str, program: str, arguments: str, wants: str
) -> None:
    machine = a_builder(tmp_path / "m", platform)
    told = run(machine, f"& '{program}' {arguments}\n$LASTEXITCODE")
    assert (told.out, told.unknown, machine.wants) == (["0"], [], wants)
    assert machine.registry.get(_STATE, "ImageState") == "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
