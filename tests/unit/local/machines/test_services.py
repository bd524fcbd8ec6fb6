"""Services: what the stand-in of systemctl keeps, what a boot starts and what a shutdown runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln_local.machines import MachineRoom
from tests.unit.local.machines.rooms import cloned, ended, launched, said

UNIT = "[Unit]\nDescription=d\n[Service]\n{}\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def instance(room: MachineRoom) -> Iterator[str]:
    """A running Ubuntu 22.04 of the test's own."""
    made = launched(room, "ubuntu-22.04")
    yield made
    room.destroy(made)


def with_unit(room: MachineRoom, instance: str, name: str, *service: str) -> None:
    text = UNIT.format("\n".join(service))
    (room.root(instance) / "etc/systemd/system" / name).write_text(text)


def test_a_unit_that_is_not_there_gives_systemds_exit_codes(
    room: MachineRoom, instance: str
) -> None:
    verbs = ("start", "stop", "is-active", "is-enabled", "enable", "status")
    codes = [ended(room, instance, f"systemctl {verb} nosuch") for verb in verbs]
    assert codes == [5, 5, 3, 1, 1, 4]
    found = room.enter(instance, ["systemctl", "start", "nosuch"])
    assert b"Unit nosuch.service not found." in found.stderr


def test_the_base_images_own_services_run_and_the_hosts_are_unknown(
    room: MachineRoom, instance: str
) -> None:
    assert said(room, instance, "systemctl is-active ssh apt-daily.timer") == "active\nactive"
    units = said(room, instance, "ls /usr/lib/systemd/system").split()
    assert "ssh.service" in units
    assert "systemd-journald.service" not in units


def test_sudo_runs_what_it_is_given_as_root(room: MachineRoom, instance: str) -> None:
    assert said(room, instance, "sudo -E -u ubuntu A=1 sh -c 'echo $A; id -u' x") == "1\n0"
    assert ended(room, instance, "sudo -n false") == 1
    assert said(room, instance, "echo 'echo piped' | sudo -s") == "piped"


def test_what_is_enabled_runs_after_a_reboot_and_what_is_masked_does_not(
    room: MachineRoom, instance: str
) -> None:
    with_unit(room, instance, "own.service", "ExecStart=/bin/true")
    said(room, instance, "systemctl enable --now own; systemctl mask --now cron")
    room.shut_down(instance)
    room.boot(instance)
    assert said(room, instance, "systemctl is-active own cron") == "active\ninactive"
    assert said(room, instance, "systemctl is-enabled own cron") == "enabled\nmasked"


def test_a_service_whose_program_is_gone_does_not_run_after_a_boot(
    room: MachineRoom, instance: str
) -> None:
    with_unit(room, instance, "own.service", "ExecStart=/opt/own/bin/own --serve")
    said(room, instance, "systemctl enable own")
    room.shut_down(instance)
    room.boot(instance)
    assert said(room, instance, "systemctl is-active own") == "inactive"


def test_a_oneshot_unit_runs_when_it_starts_and_when_it_stops(
    room: MachineRoom, instance: str
) -> None:
    with_unit(
        room,
        instance,
        "once.service",
        *("Type=oneshot", "RemainAfterExit=yes"),
        *("ExecStart=/bin/sh -c 'echo start >>/var/once'", "ExecStart=-/bin/false"),
        "ExecStop=/bin/sh -c 'echo stop >>/var/once'",
    )
    assert ended(room, instance, "systemctl start once") == 1
    script = "sed -i /false/d /etc/systemd/system/once.service; systemctl start once"
    assert ended(room, instance, f"{script}; systemctl stop once; systemctl is-active once") == 3
    assert said(room, instance, "cat /var/once") == "start\nstart\nstop"


def test_what_asks_to_run_at_shutdown_runs_after_the_random_seed_was_saved(
    room: MachineRoom, instance: str
) -> None:
    seed = "/var/lib/systemd/random-seed"
    unit = UNIT.format(
        "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
        f"ExecStop=/bin/sh -c 'cp {seed} /var/seen; ls /run/kiln-local/active >/var/active'"
    )
    folder = room.root(instance) / "run/systemd/system"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "last.service").write_text(unit)
    before = said(room, instance, f"systemctl start last >/dev/null; cat {seed}")
    clone = cloned(room, instance, "ubuntu-22.04")
    seen = said(room, clone, "cat /var/seen")
    assert seen
    assert seen != before
    assert seen == said(room, clone, f"cat {seed}")
    assert said(room, clone, "cat /var/active") == ""
    assert ended(room, clone, "ls /run/systemd/system/last.service") == 2
    room.destroy(clone)


@pytest.mark.parametrize(
    ("platform", "folder"), [("amazon-linux-1", "rc3.d"), ("ubuntu-14.04", "rc2.d")]
)
def test_without_systemd_init_scripts_start_at_boot_and_rc0_runs_at_shutdown(
    room: MachineRoom, platform: str, folder: str
) -> None:
    instance = launched(room, platform)
    assert ended(room, instance, "systemctl") == 127
    enable = "chkconfig nginx on" if folder == "rc3.d" else "update-rc.d nginx defaults"
    install = "yum -y install nginx" if folder == "rc3.d" else "apt-get -y install nginx"
    assert ended(room, instance, f"{install} && service nginx start && {enable}") == 0
    script = "mkdir -p /etc/rc0.d; printf '#!/bin/sh\\necho \"$1\" >/var/last\\n' >/etc/rc0.d/S00x"
    said(room, instance, f"{script}; chmod 755 /etc/rc0.d/S00x")
    room.shut_down(instance)
    room.boot(instance)
    assert said(room, instance, "service nginx status; cat /var/last") == "nginx is running\nstart"
    room.destroy(instance)
