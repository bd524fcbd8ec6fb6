"""A user's script: every byte of it and of its environment, its exit code, reboots."""

from __future__ import annotations

import base64

import pytest

from kiln_local.machines import StepRun
from tests.sandbox.bakery import BUILDER, Bakery, Row

HOSTILE = (
    "'\" \\ $(touch /root/run) `touch /root/run` ${HOME} $$ {{ Script }} {{ x }} ; & | * ~ \t\n\n"
)
ROW = Row("ubuntu-22.04")


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def ran(room: Bakery, script: str | bytes, /, **environment: str) -> StepRun:
    instance = room.shared(ROW)
    lines = "\n".join(f"{name}={b64(value)}" for name, value in environment.items())
    run = room.run(
        instance, "run-shell", Script=b64(script), Environment=b64(lines), Timeout="3600"
    )
    assert room.sh(instance, "ls /root/run /var/lib/kiln 2>/dev/null") == ""
    return run.steps[0]


def test_every_byte_of_a_value_reaches_the_script(room: Bakery) -> None:
    assert ran(room, 'printf %s "$VALUE"', VALUE=HOSTILE).stdout == HOSTILE


def test_every_byte_of_a_script_is_run_as_it_is(room: Bakery) -> None:
    script = f"cat <<'HERE'\n{HOSTILE}HERE\n"
    assert ran(room, script).stdout == HOSTILE


def test_a_script_may_be_long_and_need_not_be_text(room: Bakery) -> None:
    script = b"# \xff\xfe \xe9t\xe9\n" + b"true # filler\n" * 2000 + b"printf '\\303\\251'"
    assert ran(room, script).stdout == "\u00e9"


@pytest.mark.parametrize("code", [0, 1, 3, 169, 255])
def test_the_scripts_exit_code_is_the_steps(room: Bakery, code: int) -> None:
    assert ran(room, f"exit {code}").exit_code == code


def test_an_exit_code_that_the_agent_takes_for_success_is_a_failure(room: Bakery) -> None:
    step = ran(room, "exit 168")
    assert (step.exit_code, step.status) == (1, "Failed")
    assert "168" in step.stderr


def test_a_script_with_an_interpreter_of_its_own_gets_it(room: Bakery) -> None:
    assert ran(room, "#!/bin/bash\n[[ -n $BASH_VERSION ]] && echo bash").stdout == "bash\n"
    assert ran(room, "echo ${BASH_VERSION-none}").stdout == "none\n"


def test_a_script_finds_itself_at_home_and_sees_none_of_ours(room: Bakery) -> None:
    assert ran(room, "pwd; echo $HOME; umask").stdout == "/root\n/root\n0022\n"
    assert "KILN" not in ran(room, "env").stdout


@pytest.mark.parametrize(
    "name",
    [
        *("script", "status", "folder", "line", "lines", "text", "PATH", "HOME", "TMPDIR"),
        *("KILN_SCRIPT", "ENV", "POSIXLY_CORRECT", "_", "PS4", "file", "run"),
    ],
)
def test_no_name_of_a_variable_gets_in_the_way_of_ours(room: Bakery, name: str) -> None:
    if name == "_":
        # Every shell sets this one itself.
        assert ran(room, "echo fine", _="/etc/passwd").stdout == "fine\n"
    else:
        value = "/nowhere" if name == "PATH" else "/root"
        assert ran(room, f'echo "${{{name}}}"; exit 7', **{name: value}) == ran(
            room, f"echo {value}; exit 7"
        )


@pytest.mark.parametrize("name", ["-i", "a-b", "1a", "", "a b", "-u X", "$(touch /root/run)"])
def test_a_name_that_is_none_is_refused(room: Bakery, name: str) -> None:
    step = ran(room, "echo ran", **{name: "x"})
    assert (step.exit_code, step.stdout) == (1, "")
    assert "is no name for a variable" in step.stderr


def test_exit_code_194_reboots_and_runs_the_script_again(bakery: Bakery) -> None:
    script = "echo once; if [ -e /root/marker ]; then exit 5; fi; touch /root/marker; exit 194"
    step = ran(bakery, script)
    bakery.stop(bakery.shared(ROW))
    assert (bakery.reboots, step.exit_code, step.stdout) == (1, 5, "once\nonce\n")


def test_the_reboot_document_reboots_once_and_leaves_no_marker(bakery: Bakery) -> None:
    bakery.start(ROW)
    for reboots in (1, 2):
        run = bakery.run(BUILDER, "reboot-linux")
        assert (run.status, bakery.reboots) == ("Success", reboots)
        assert "has rebooted" in run.steps[0].stdout
    assert bakery.sh(BUILDER, "ls -d /var/lib/kiln 2>/dev/null") == ""
