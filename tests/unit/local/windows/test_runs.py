"""Reboots, shutdowns and users' scripts: how a document runs on a simulated Windows."""

from __future__ import annotations

from typing import Any

from kiln_local.machines.agent import MOST_REBOOTS
from kiln_local.windows.machine import WindowsMachine
from tests.unit.local.windows.simulated import again, b64, send, send_document


def _step(script: str, **inputs: Any) -> dict[str, Any]:
    return {
        "name": "step",
        "action": "aws:runPowerShellScript",
        "inputs": {"runCommand": script.split("\n"), **inputs},
    }


def test_a_reboot_reboots_once(machine: WindowsMachine) -> None:
    done = send(machine, "kiln-reboot-windows")
    assert (done.status, done.steps[0].stdout) == ("Success", "rebooted\n")
    assert again(machine).state["boots"] == 2


def test_the_exit_code_of_a_reboot_runs_the_script_again(machine: WindowsMachine) -> None:
    script = "'ran'\nif (Test-Path C:\\once) { exit 0 }\nNew-Item C:\\once | Out-Null\nexit 3010"
    done = send_document(machine, {"mainSteps": [_step(script)]})
    assert (done.status, done.steps[0].stdout) == ("Success", "ran\nran\n")
    assert again(machine).state["boots"] == 2


def test_a_script_that_reboots_for_ever_fails(machine: WindowsMachine) -> None:
    done = send_document(machine, {"mainSteps": [_step("exit 3010")]})
    assert (done.status, done.steps[0].exit_code) == ("Failed", 3010)
    assert again(machine).state["boots"] == 1 + MOST_REBOOTS


def test_a_system_that_goes_down_takes_the_later_steps_with_it(machine: WindowsMachine) -> None:
    steps = [_step("'a'; Stop-Computer -Force"), _step("New-Item C:\\later")]
    done = send_document(machine, {"mainSteps": steps})
    assert (done.status, len(done.steps)) == ("InProgress", 1)
    assert not machine.drive.exists(r"C:\later")


def test_a_users_script_fails_the_document_with_its_own_code(machine: WindowsMachine) -> None:
    for script, code in (("exit 7", 7), ("throw 'bad'", 1), ("exit 168", 1), ("'fine'", 0)):
        done = send(
            machine, "kiln-run-powershell", Script=b64(script), Environment="", Timeout="60"
        )
        assert done.steps[0].exit_code == code
        assert done.status == ("Failed" if code else "Success")


def test_a_users_environment_reaches_the_script_whatever_is_in_it(machine: WindowsMachine) -> None:
    value = "two\nlines, $env:X `n \"quotes\" 'and' {{ x }} ä"
    done = send(
        machine,
        "kiln-run-powershell",
        Script=b64("[IO.File]::WriteAllText('C:\\said', $env:GIVEN)\nTest-Path Env:\\KILN_SCRIPT"),
        Environment=b64(f"GIVEN={b64(value)}"),
        Timeout="60",
    )
    assert (done.status, done.steps[0].stdout) == ("Success", "False\n")
    assert machine.drive.read(r"C:\said") == value
    assert not list((machine.root / "C/ProgramData/Kiln").glob("step-*"))


def test_the_output_of_a_script_says_what_was_not_run(machine: WindowsMachine) -> None:
    script = b64("'first'\nInstall-Thing -Now\n'last'")
    done = send(machine, "kiln-run-powershell", Script=script, Environment="", Timeout="60")
    assert done.steps[0].stdout.splitlines() == [
        *("first", "not run here (line 2): Install-Thing -Now [Install-Thing]", "last")
    ]
    assert not done.steps[0].ran


def test_a_variable_of_the_system_is_there_after_the_next_boot(machine: WindowsMachine) -> None:
    setting = "[Environment]::SetEnvironmentVariable('GIVEN', 'x', 'Machine')"
    showing = {"mainSteps": [_step('"[$env:GIVEN]"')]}
    send_document(machine, {"mainSteps": [_step(setting)]})
    assert send_document(machine, showing).steps[0].stdout == "[]\n"
    again(machine).boot("i-0builder", b"")
    assert send_document(machine, showing).steps[0].stdout == "[x]\n"
