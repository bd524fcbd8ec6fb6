"""An instance that a stack made carries all that the guide's clean-up names."""

from __future__ import annotations

import pytest

from kiln.domain.cleanup import PACKAGES, chef_versions, cleanup_for
from kiln_local.machines import MachineRoom
from kiln_local.machines.distros import DISTROS
from tests.unit.local.machines.rooms import a_birth, ended, launched, said

ROWS = [(platform, chef) for platform in sorted(DISTROS) for chef in chef_versions(platform)]


@pytest.mark.parametrize(("platform", "chef"), ROWS)
def test_everything_of_the_row_is_really_there(room: MachineRoom, platform: str, chef: str) -> None:
    instance = launched(room, platform, chef)
    row, root = cleanup_for(platform, chef), room.root(instance)
    assert [path for path in row.paths if not list(root.glob(path.lstrip("/")))] == []
    query = "dpkg -s" if DISTROS[platform].deb else "rpm -q"
    assert ended(room, instance, f"{query} {' '.join(PACKAGES)}") == 0
    for name in row.init:
        assert ended(room, instance, f"/etc/init.d/{name} status") == 0, name
        assert ended(room, instance, f"/etc/init.d/{name} stop") == 0, name
        assert ended(room, instance, f"/etc/init.d/{name} status") == 3, name
    for name in (*row.systemd, *row.timers):
        assert said(room, instance, f"systemctl is-active {name}") == "active", name
    assert [path for path in row.stamps if not (root / path.lstrip("/")).exists()] == []
    assert ended(room, instance, "id aws && id opsworks") == 0
    room.destroy(instance)


def test_packages_own_files_and_go_by_the_guides_own_commands(room: MachineRoom) -> None:
    ubuntu = launched(room, "ubuntu-18.04", "12")
    assert ended(room, ubuntu, "dpkg -S /opt/chef/bin/chef-client") == 0
    assert ended(room, ubuntu, "apt-get -y remove chef && dpkg -r opsworks-agent-ruby") == 0
    assert ended(room, ubuntu, "dpkg -s chef || dpkg -s opsworks-agent-ruby") == 1
    amazon = launched(room, "amazon-linux-1", "12")
    assert ended(room, amazon, "rpm -qf /opt/chef/bin/chef-client") == 0
    assert ended(room, amazon, "rpm -e opsworks-agent-ruby && rpm -e chef") == 0
    assert ended(room, amazon, "rpm -q chef") == 1
    room.destroy(ubuntu)
    room.destroy(amazon)


def test_two_instances_of_a_stack_have_identities_of_their_own(room: MachineRoom) -> None:
    one, two = (launched(room, "ubuntu-16.04", "12") for _ in range(2))
    for path in ("etc/aws/opsworks/client.yml", "etc/chef/client.pem", "root/.bash_history"):
        assert (room.root(one) / path).is_file()
    for path in ("etc/aws/opsworks/client.yml", "etc/chef/client.pem"):
        assert (room.root(one) / path).read_text() != (room.root(two) / path).read_text()
    room.destroy(one)
    room.destroy(two)


@pytest.mark.parametrize("platform", ["rhel-7", "ubuntu-18.04"])
def test_a_stacks_instance_of_an_own_image_has_the_packages_too(
    room: MachineRoom, platform: str
) -> None:
    builder = launched(room, platform)
    room.shut_down(builder)
    room.capture(builder, f"ami-own-{platform}")
    birth = a_birth(platform, chef="12")
    room.create(birth, f"ami-own-{platform}")
    room.boot(birth.instance_id)
    query = "dpkg -s" if DISTROS[platform].deb else "rpm -q"
    assert ended(room, birth.instance_id, f"{query} {' '.join(PACKAGES)}") == 0
    room.destroy(builder)
    room.destroy(birth.instance_id)


def test_a_plain_instance_has_none_of_it(room: MachineRoom, al2023: str) -> None:
    assert said(room, al2023, "ls -d /etc/chef /opt/aws /etc/aws /etc/monit* 2>/dev/null") == ""
