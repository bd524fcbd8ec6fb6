"""Documents run on a real instance as the Systems Manager agent runs them."""

from __future__ import annotations

import time

import pytest

from kiln_local.machines import MachineRoom
from kiln_local.machines.agent import MOST_REBOOTS
from tests.unit.local.machines.rooms import a_document, a_step, an_order, launched, run


def test_a_script_sees_the_agents_environment_and_no_more(room: MachineRoom, al2023: str) -> None:
    step = run(room, al2023, a_step("pwd; umask; env; cat", environment={"P": "a 'b' $c"})).steps[0]
    lines = step.stdout.splitlines()
    assert lines[:2] == ["/usr/bin", "0022"]
    names = {line.partition("=")[0] for line in lines[2:] if "=" in line}
    assert {"P", "PATH", "LANG", "SSM_COMMAND_ID", "AWS_SSM_INSTANCE_ID"} <= names
    assert "HOME" not in names
    assert "P=a 'b' $c" in lines


def test_a_script_is_kept_with_its_output_where_the_agent_keeps_it(
    room: MachineRoom, al2023: str
) -> None:
    document = a_document(a_step("echo {{ Word }}"), Word={"type": "String"})
    order = an_order(al2023, document, {"Word": ["hello"]})
    assert room.run(order, lambda: None).status == "Success"
    folder = f"var/lib/amazon/ssm/{al2023}/document/orchestration/{order.command_id}/step"
    place = room.root(al2023) / folder
    assert (place / "_script.sh").read_text() == "echo hello\n"
    assert (place / "_script.sh").stat().st_mode & 0o777 == 0o700
    assert (place / "stdout").read_text() == "hello\n"


def test_only_the_last_command_counts_and_later_steps_still_run(
    room: MachineRoom, al2023: str
) -> None:
    done = run(room, al2023, a_step("false\ntrue", "a"), a_step("exit 3", "b"), a_step("true", "c"))
    assert [step.exit_code for step in done.steps] == [0, 3, 0]
    assert done.status == "Failed"


def test_the_first_two_bytes_choose_the_interpreter(room: MachineRoom, al2023: str) -> None:
    own = a_step("#!/bin/bash\n[[ a = a ]] && echo bash", "own")
    plain = a_step("echo x\n#!/bin/bash\n[[ a = a ]]", "plain")
    broken = a_step("#!/bin/sh\r\ntrue", "broken")
    done = run(room, al2023, own, plain, broken)
    assert [step.exit_code for step in done.steps] == [0, 127, 127]


def test_a_failure_can_end_the_document_but_the_last_step_may_run_finally(
    room: MachineRoom, al2023: str
) -> None:
    steps = (
        a_step("exit 4", "a", onFailure="exit"),
        a_step("true", "b", finallyStep=True),
        a_step("echo last", "c", finallyStep=True),
    )
    done = run(room, al2023, *steps)
    assert [step.name for step in done.steps] == ["a", "c"]
    assert done.status == "Failed"


@pytest.mark.parametrize(
    ("script", "status", "exit_code"),
    [
        ("exit 168", "Success", 168),
        ("exit 169", "Failed", 169),
        ("exit 137", "TimedOut", 137),
    ],
)
def test_some_ways_to_end_have_a_meaning(
    room: MachineRoom, al2023: str, script: str, status: str, exit_code: int
) -> None:
    done = run(room, al2023, a_step(script))
    assert (done.status, done.steps[0].exit_code) == (status, exit_code)


def test_a_working_directory_that_is_not_there_fails_with_a_misleading_message(
    room: MachineRoom, al2023: str
) -> None:
    step = run(room, al2023, a_step("pwd", workingDirectory="/nowhere")).steps[0]
    assert (step.status, step.exit_code) == ("Failed", 1)
    assert "no such file or directory" in step.stderr
    assert run(room, al2023, a_step("pwd", workingDirectory="srv")).steps[0].stdout == "/usr/bin\n"


@pytest.mark.parametrize("command", ["echo text", [["a", "list"]]])
def test_a_run_command_that_is_no_list_of_text_fails(
    room: MachineRoom, al2023: str, command: object
) -> None:
    step = a_step("") | {"inputs": {"runCommand": command}}
    assert run(room, al2023, step).status == "Failed"


def test_a_missing_run_command_is_a_success(room: MachineRoom, al2023: str) -> None:
    assert run(room, al2023, a_step("") | {"inputs": {}}).status == "Success"


def test_a_space_in_a_steps_name_breaks_its_path(room: MachineRoom, al2023: str) -> None:
    assert run(room, al2023, a_step("true", "two words")).steps[0].exit_code == 127


def test_a_time_out_kills_the_group_and_does_not_wait_for_who_left_it(
    room: MachineRoom, al2023: str
) -> None:
    script = "echo begun; setsid sleep 30 & sleep 31"
    begun = time.monotonic()
    step = run(room, al2023, a_step(script, timeoutSeconds="5")).steps[0]
    assert time.monotonic() - begun < 4
    assert (step.status, step.exit_code, step.stdout) == ("TimedOut", 137, "begun\n")
    left = room.enter(al2023, ["ps", "ax", "-o", "args"]).stdout.decode()
    assert "sleep 30" in left
    assert "sleep 31" not in left


def test_a_script_that_works_has_its_whole_time_out_at_any_speed(
    room: MachineRoom, al2023: str
) -> None:
    # The room's speed leaves a script that waits two seconds of the twenty.
    script = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done; echo done"
    step = run(room, al2023, a_step(script, timeoutSeconds="20")).steps[0]
    assert (step.status, step.stdout) == ("Success", "done\n")


def test_a_child_that_holds_the_output_blocks_the_step(room: MachineRoom, al2023: str) -> None:
    begun = time.monotonic()
    assert run(room, al2023, a_step("(sleep 0.6; echo late) & echo now")).steps[0].stdout
    assert time.monotonic() - begun >= 0.6


def test_exit_194_reboots_and_runs_the_same_step_again(room: MachineRoom) -> None:
    instance = launched(room, "ubuntu-24.04")
    script = (
        "[ -e /var/was-here ] && echo again && exit 0; : >/var/was-here; : >/run/gone; exit 194"
    )
    done = run(room, instance, a_step(script, "one"), a_step("ls /run/gone", "two"))
    assert [step.exit_code for step in done.steps] == [0, 2]
    assert done.steps[0].stdout == "again\n"
    room.destroy(instance)


def test_a_step_that_always_wants_a_reboot_gets_it_fifteen_times(
    room: MachineRoom, al2023: str
) -> None:
    reboots: list[int] = []
    order = an_order(al2023, a_document(a_step("exit 194")))
    done = room.run(order, lambda: reboots.append(1))
    assert len(reboots) == MOST_REBOOTS
    assert done.status == "Failed"


def test_output_is_whole_and_of_any_bytes(room: MachineRoom, al2023: str) -> None:
    step = run(room, al2023, a_step(r"head -c 60000 /dev/zero | tr '\0' x; printf '\377'")).steps[0]
    assert len(step.stdout) == 60001
