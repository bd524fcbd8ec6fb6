"""Kiln's own documents and the example's scripts on every Windows: all of it is known, and what
they are to find they find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln_local.machines.agent import DocumentRun
from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import (
    HERE,
    PLATFORMS,
    a_builder,
    a_clone,
    a_machine,
    again,
    an_around,
    b64,
    everything,
    run,
    send,
)

pytestmark = pytest.mark.long

_ALSO = b64("C:\\app\\secret.txt")
_KEEP = b64("C:\\Windows\\Temp\\keep")


def _blueprint() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / "blueprints/windows-2022-web.yaml").read_text())
    return found


def _scripts(steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """A step's script and its environment, as kiln-run-powershell gets them."""
    return [
        (
            b64(step["powershell"]),
            b64("\n".join(f"{k}={b64(v)}" for k, v in step.get("environment", {}).items())),
        )
        for step in steps
        if "powershell" in step
    ]


def _baked(machine: WindowsMachine, platform: str, sysprep: str) -> list[DocumentRun]:
    """The documents of a bake on its builder, in order, up to the seal."""
    done = [send(machine, "kiln-inspect-windows", Platform=platform)]
    for script, environment in _scripts(_blueprint()["steps"]):
        done.append(
            send(
                machine, "kiln-run-powershell", Script=script, Environment=environment, Timeout="60"
            )
        )
    done.append(send(machine, "kiln-reboot-windows"))
    done.append(send(machine, "kiln-prepare-windows", Sysprep=sysprep))
    run(machine, "New-Item C:\\app -ItemType Directory\nSet-Content C:\\app\\secret.txt 'x'")
    cleaned = {"AlsoRemove": _ALSO, "Keep": _KEEP, "Bake": "b-1", "Blueprint": "b"}
    done.append(send(machine, "kiln-clean-windows", **cleaned))
    done.append(send(machine, "kiln-seal-windows", Sysprep=sysprep, PasswordReference=""))
    return done


def _verified(clone: WindowsMachine, sysprep: str) -> DocumentRun:
    return send(
        clone,
        "kiln-verify-windows",
        AlsoRemove=_ALSO,
        Keep=_KEEP,
        BuilderInstance="i-0builder",
        Sysprep=sysprep,
    )


def _said(*runs: DocumentRun) -> str:
    return "".join(step.stdout + step.stderr for done in runs for step in done.steps)


@pytest.mark.parametrize("sysprep", ["true", "false"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_of_a_bake_is_known_on_every_windows(
    tmp_path: Path, platform: str, sysprep: str
) -> None:
    machine = a_builder(tmp_path / "m", platform)
    done = _baked(machine, platform, sysprep)
    assert [each.status for each in done] == [*["Success"] * 6, "InProgress"]
    clone = a_clone(again(machine), tmp_path / "c")
    verified = _verified(clone, sysprep)
    assert verified.status == "Success"
    page = _scripts(_blueprint()["verify"]["steps"])[0][0]
    tested = send(clone, "kiln-run-powershell", Script=page, Environment="", Timeout="60")
    assert tested.status == "Success"
    said = _said(*done, verified, tested)
    assert "not run here" not in said
    assert "feature Web-Server: marked installed; nothing was installed here" in said
    assert not clone.drive.exists(r"C:\app\secret.txt")
    assert clone.drive.read(r"C:\inetpub\wwwroot\index.html") == "welcome to the flower shop\r\n"


def _facts(done: DocumentRun) -> dict[str, str]:
    lines = next(step.stdout for step in done.steps if step.name == "facts").splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(("sysprep", "count"), [("true", 5), ("false", 2)])
def test_facts_of_the_builder_are_told_and_differ_on_the_clone(
    tmp_path: Path, sysprep: str, count: int
) -> None:
    machine = a_builder(tmp_path / "m")
    prepared = _facts(_baked(machine, "windows-2022", sysprep)[4])
    clone = _facts(_verified(a_clone(again(machine), tmp_path / "c"), sysprep))
    assert (len(prepared), set(prepared)) == (count, set(clone))
    # The order names the builder in both runs: the instance's id is the order's, not the machine's.
    assert all(prepared[name] != clone[name] for name in prepared if name != "ssm_instance_id")


def test_what_is_installed_is_listed_with_its_count(machine: WindowsMachine) -> None:
    run(
        machine,
        "New-Item HKLM:\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\X\n"
        "Set-ItemProperty HKLM:\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion"
        '\\Uninstall\\X -Name DisplayName -Value "My`tTool"',
    )
    machine.save()
    lines = send(machine, "kiln-prepare-windows", Sysprep="true").steps[0].stdout.splitlines()
    assert "program\tAmazon SSM Agent\t3.3.2299.0\tx64" in lines
    assert "program\tMy Tool\t\tx86" in lines
    assert "feature\tPowerShell\t\t" in lines
    assert lines[:-1] == sorted(lines[:-1], key=str.lower)
    assert lines[-1] == f"end\t{len(lines) - 1}"


# ------------------------------------------------------------ what ends a bake


def test_an_image_in_another_language_is_refused_before_anything_changes(tmp_path: Path) -> None:
    machine = a_machine(tmp_path / "m", language="de-DE")
    machine.boot("i-0builder", b"")
    before = everything(machine)
    done = send(machine, "kiln-inspect-windows", Platform="windows-2022")
    assert done.status == "Failed"
    assert [step.name for step in done.steps] == ["language"]
    assert "UI language is de-DE; only en-US is supported" in done.steps[0].stderr
    assert everything(again(machine)) == before


def test_another_release_and_a_missing_agent_are_refused(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m", "windows-2019")
    done = send(machine, "kiln-inspect-windows", Platform="windows-2022")
    assert "this is Microsoft Windows Server 2019 Datacenter" in _said(done)
    run(machine, "Remove-Item C:\\ProgramData\\Amazon\\EC2-Windows -Recurse")
    done = send(machine, "kiln-inspect-windows", Platform="windows-2019")
    assert (done.status, done.steps[-1].name) == ("Failed", "agent")
    assert "neither EC2Launch v2" in done.steps[-1].stderr


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_sysprep_that_stays_undeployable_fails_the_seal_with_the_end_of_its_log(
    tmp_path: Path, platform: str
) -> None:
    slept: list[float] = []
    machine = a_builder(tmp_path / "m", platform, an_around(slept=slept))
    run(machine, "New-Item HKLM:\\SYSTEM\\CurrentControlSet\\Services\\Sense -Force")
    machine.save()
    done = send(machine, "kiln-seal-windows", Sysprep="true", PasswordReference="")
    assert (done.status, done.steps[0].exit_code) == ("Failed", 1)
    said = done.steps[0].stderr
    assert "Sysprep did not end: the image state is IMAGE_STATE_UNDEPLOYABLE" in said
    assert r"C:\Windows\System32\Sysprep\Panther: Error SYSPRP Failure of SenseSvc" in said
    # One minute of Sysprep and 45 of waiting; the instance runs on, and nothing of it was sealed.
    assert sum(slept) == 60 + 2700
    assert again(machine).state["services"]["AmazonSSMAgent"] == "Running"
    assert not machine.drive.exists(r"C:\ProgramData\Kiln\release")


def test_a_path_that_is_not_plain_is_refused_and_nothing_is_removed(
    machine: WindowsMachine,
) -> None:
    for path in ("C:\\Windows", "C:\\a\\..\\Windows", "C:\\Users\\*", "D:\\x", "relative\\x"):
        before = everything(machine)
        given = {"AlsoRemove": b64(path), "Keep": "", "Bake": "b", "Blueprint": "b"}
        done = send(machine, "kiln-clean-windows", **given)
        assert (done.status, len(done.steps)) == ("Failed", 1)
        assert f"refused {path}: not a plain path" in done.steps[0].stderr
        assert everything(again(machine)) == before


_LEFT = {
    "a key of SSH": r"C:\ProgramData\ssh\ssh_host_rsa_key",
    "a history": (
        r"C:\Users\Administrator\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine"
        r"\ConsoleHost_history.txt"
    ),
    "what the blueprint names": r"C:\app\secret.txt",
    "the builder's commands": r"C:\ProgramData\Amazon\SSM\InstanceData\i-0builder\x",
}


@pytest.mark.parametrize("path", _LEFT.values(), ids=_LEFT.keys())
def test_what_the_clean_up_left_is_found_on_the_clone(tmp_path: Path, path: str) -> None:
    machine = a_builder(tmp_path / "m")
    _baked(machine, "windows-2022", "true")
    sealed = again(machine)
    sealed.drive.make_folder(path.rpartition("\\")[0])
    # It is older than the seal.
    sealed.drive.write(path, "left")
    sealed.drive.write(r"C:\ProgramData\Kiln\release", "SEALED=now\n")
    done = _verified(a_clone(sealed, tmp_path / "c"), "true")
    assert done.status == "Failed"
    found = [line.removeprefix("left over: ") for line in done.steps[0].stdout.splitlines()]
    assert [path.startswith(left) for left in found] == [True]


def test_a_clone_of_what_was_not_sealed_is_found_out(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m")
    clone = a_clone(machine, tmp_path / "one")
    assert "the clean-up did not end" in _said(_verified(clone, "true"))
    send(machine, "kiln-clean-windows", Bake="b-1", Blueprint="b")
    clone = a_clone(machine, tmp_path / "two")
    assert "the seal did not end" in _said(_verified(clone, "true"))


def test_a_certificate_that_was_lost_is_found_out(tmp_path: Path) -> None:
    machine = a_builder(tmp_path / "m")
    _baked(machine, "windows-2022", "true")
    clone = a_clone(again(machine), tmp_path / "c")
    store = r"HKLM:\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\AMAZONROOTCA1"
    run(clone, f"Remove-Item {store} -Recurse")
    clone.save()
    assert f"lost: {store}" in _said(_verified(clone, "true"))
