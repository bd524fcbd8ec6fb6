"""An instance cannot reach, change or outlive the machine that it runs on."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from kiln_local.machines import MachineRoom
from kiln_local.machines.sandbox import why_unavailable
from tests.unit.local.machines.rooms import ended, launched, said


def test_the_hosts_files_are_not_there(room: MachineRoom, al2023: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    assert ended(room, al2023, f"cat {secret}") != 0
    # Neither by the first process's root, nor by going up from one's own.
    assert ended(room, al2023, f"cat /proc/1/root{secret} || cat /proc/1/cwd{secret}") != 0
    assert ended(room, al2023, f"cat /../../../../../..{secret}") != 0


def test_the_hosts_programs_can_be_removed_and_changed_inside_only(room: MachineRoom) -> None:
    instance = launched(room, "debian-13")
    before = Path("/usr/bin/true").stat()
    script = "rm /usr/bin/false; chmod 700 /usr/bin/true; echo x >/usr/bin/own; ls /usr/bin/own"
    assert said(room, instance, script) == "/usr/bin/own"
    assert ended(room, instance, "test -e /usr/bin/false") == 1
    after = Path("/usr/bin/true").stat()
    assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
    assert Path("/usr/bin/false").exists()
    assert not Path("/usr/bin/own").exists()
    room.destroy(instance)


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs none /mnt",
        "mount --bind /etc /mnt",
        "umount /proc",
        "mknod /tmp/disk b 8 0",
        "chroot / true",
        "read value </proc/sys/vm/swappiness && echo $value >/proc/sys/vm/swappiness",
        "echo x >/proc/sys/kernel/hostname",
        "unshare --mount true",
        "hostname another",
    ],
)
def test_root_inside_has_no_power_over_the_kernel(
    room: MachineRoom, al2023: str, script: str
) -> None:
    assert ended(room, al2023, script) != 0


def test_a_device_changed_inside_is_the_same_outside(room: MachineRoom, al2023: str) -> None:
    before = Path("/dev/full").stat().st_mode
    # More than it was, so that the machine still works where this test fails.
    ended(room, al2023, "chmod 667 /dev/full")
    ended(room, al2023, "rm -f /dev/full")
    assert Path("/dev/full").stat().st_mode == before


def test_there_is_no_network_but_loopback(room: MachineRoom, al2023: str) -> None:
    links = said(room, al2023, "tail -n +3 /proc/net/dev | cut -d : -f 1").split()
    assert links == ["lo"]


def test_only_the_instances_own_processes_are_seen(room: MachineRoom, al2023: str) -> None:
    ids = [int(name) for name in said(room, al2023, "ls /proc").split() if name.isdigit()]
    assert 1 in ids
    assert said(room, al2023, "cat /proc/1/comm") == "cat"
    assert len(ids) < 20


def test_what_still_runs_ends_with_its_instance(room: MachineRoom) -> None:
    instance = launched(room, "rhel-9")
    word = f"61{os.getpid()}"
    ended(room, instance, f"setsid sleep {word} >/dev/null 2>&1 &")
    assert _running(word)
    room.shut_down(instance)
    deadline = time.monotonic() + 2
    while _running(word) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _running(word)
    assert room.enter(instance, ["true"]).exit_code == 255
    room.destroy(instance)


def _running(word: str) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in file.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


def test_an_instance_leaves_nothing_behind_when_it_is_destroyed(room: MachineRoom) -> None:
    instance = launched(room, "debian-12")
    place = room.root(instance).parent
    ended(room, instance, "mkdir -p /opt/a/b && chmod 0 /opt/a; chmod 0 /usr/local/lib")
    room.destroy(instance)
    assert not place.exists()
    room.destroy(instance)


def test_a_missing_tool_is_named_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str, path: str | None = None) -> None:
        """No program is anywhere."""

    monkeypatch.setattr(shutil, "which", nothing)
    said_why = why_unavailable(tmp_path / "room")
    assert said_why is not None
    assert "unshare" in said_why
    assert "not found" in said_why
