"""Package databases are real, of the platform's own tool, and the other family's tools are not
there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiln_local.machines import MachineRoom
from kiln_local.machines.distros import DISTROS
from tests.unit.local.machines.rooms import ended, launched, said

RPM = sorted(name for name, distro in DISTROS.items() if not distro.deb)
DEB = sorted(name for name, distro in DISTROS.items() if distro.deb)


@pytest.mark.parametrize("platform", RPM)
def test_an_rpm_platform_has_a_real_rpm_database(
    room: MachineRoom, plain: Callable[[str], str], platform: str
) -> None:
    instance = plain(platform)
    assert ended(room, instance, "rpm -q kernel openssh-server amazon-ssm-agent cloud-init") == 0
    assert ended(room, instance, "ls /var/lib/rpm/rpmdb.sqlite") == 0
    # As the agent runs it: without HOME, on which Debian's rpm would depend.
    assert ended(room, instance, "env -u HOME rpm -q kernel") == 0
    assert said(room, instance, "command -v dpkg; command -v apt-get; command -v apt") == ""


@pytest.mark.parametrize("platform", DEB)
def test_a_debian_platform_has_a_real_dpkg_database(
    room: MachineRoom, plain: Callable[[str], str], platform: str
) -> None:
    instance = plain(platform)
    assert ended(room, instance, "dpkg -s openssh-server linux-image-aws cloud-init") == 0
    assert ended(room, instance, "dpkg --audit") == 0
    assert said(room, instance, "command -v rpm; command -v yum; command -v dnf") == ""


def test_dnf_installs_a_placeholder_and_removes_it_for_real(room: MachineRoom) -> None:
    instance = launched(room, "amazon-linux-2023")
    found = room.enter(instance, ["dnf", "-y", "install", "nginx", "jq"])
    assert b"placeholder" in found.stdout
    assert b"should not be used" not in found.stderr
    assert ended(room, instance, "rpm -q nginx jq && systemctl enable --now nginx") == 0
    assert ended(room, instance, "rpm -qf /usr/lib/systemd/system/nginx.service") == 0
    assert ended(room, instance, "dnf -y remove nginx && ! rpm -q nginx") == 0
    assert ended(room, instance, "rpm -e jq && ! rpm -q jq") == 0
    assert b"nothing was fetched" in room.enter(instance, ["yum", "-y", "update"]).stdout
    assert ended(room, instance, "yum -y install 'x; id'") == 1
    room.destroy(instance)


def test_apt_installs_a_placeholder_and_removes_it_for_real(room: MachineRoom) -> None:
    instance = launched(room, "ubuntu-24.04")
    found = room.enter(instance, ["apt-get", "-y", "-o", "A=b", "install", "nginx"])
    assert b"placeholder" in found.stdout
    assert ended(room, instance, "dpkg -s nginx && systemctl start nginx") == 0
    assert ended(room, instance, "dpkg -S /usr/lib/systemd/system/nginx.service") == 0
    assert ended(room, instance, "apt-get -y remove nginx && ! dpkg -s nginx") == 0
    assert b"not installed" in room.enter(instance, ["apt-get", "-y", "remove", "nginx"]).stdout
    assert ended(room, instance, "apt-get update && apt-get upgrade -y") == 0
    assert ended(room, instance, "apt-get -y install 'x; id'") == 100
    room.destroy(instance)


def test_people_can_be_added_by_the_hosts_own_tools(room: MachineRoom) -> None:
    instance = launched(room, "debian-12")
    assert ended(room, instance, "groupadd -g 3000 staff && useradd -g staff bob && id bob") == 0
    assert "bob" in (room.root(instance) / "etc/passwd").read_text()
    room.destroy(instance)
