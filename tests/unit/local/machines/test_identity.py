"""A boot makes the identity that is missing, and only that; a clone shows what was forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiln_local.machines import MachineRoom
from kiln_local.machines.distros import DISTROS
from tests.unit.local.machines.rooms import a_birth, cloned, launched, said

IDENTITY = (
    *("etc/machine-id", "etc/hostname", "etc/ssh/ssh_host_rsa_key.pub"),
    *("etc/ssh/ssh_host_ed25519_key", "var/lib/cloud/data/instance-id"),
    *("var/lib/amazon/ssm/Vault/Store/RegistrationKey", "etc/sudoers.d/90-cloud-init-users"),
)


@pytest.mark.parametrize("platform", sorted(DISTROS))
def test_a_first_boot_makes_a_whole_identity(
    room: MachineRoom, plain: Callable[[str], str], platform: str
) -> None:
    instance = plain(platform)
    root = room.root(instance)
    assert [path for path in IDENTITY if not (root / path).is_file()] == []
    assert (root / f"var/lib/cloud/instances/{instance}").is_dir()
    assert (root / f"var/lib/amazon/ssm/{instance}/document/orchestration").is_dir()
    assert said(room, instance, "hostname") == (root / "etc/hostname").read_text().strip()
    release = (root / "etc/os-release").read_text()
    assert f"ID={DISTROS[platform].id}\n" in release
    leases = ("var/lib/dhclient/*", "var/lib/dhcp/*", "var/lib/NetworkManager/*.lease")
    found = [path for pattern in leases for path in root.glob(pattern)]
    assert found or (root / "run/systemd/netif/leases/2").exists()
    seeds = ("systemd/random-seed", "urandom/random-seed", "random-seed")
    assert any((root / "var/lib" / seed).is_file() for seed in seeds)


def test_a_base_image_has_no_identity(room: MachineRoom) -> None:
    room.add_base_image("ami-plain", "rhel-8")
    root = room.image_root("ami-plain")
    assert [path for path in IDENTITY if (root / path).exists()] == []


def test_two_instances_of_one_image_differ(room: MachineRoom) -> None:
    one, two = launched(room, "rhel-10"), launched(room, "rhel-10")
    for path in IDENTITY:
        assert (room.root(one) / path).read_bytes() != (room.root(two) / path).read_bytes(), path
    room.destroy(one)
    room.destroy(two)


def test_a_clone_keeps_what_was_forgotten_and_makes_what_was_removed(room: MachineRoom) -> None:
    builder = launched(room, "ubuntu-20.04")
    before = {path: (room.root(builder) / path).read_bytes() for path in IDENTITY}
    script = ": >/etc/machine-id; rm /etc/hostname /etc/ssh/ssh_host_ed25519_key"
    said(room, builder, script)
    clone = cloned(room, builder, "ubuntu-20.04")
    after = {path: (room.root(clone) / path).read_bytes() for path in IDENTITY}
    made = {"etc/machine-id", "etc/hostname", "etc/ssh/ssh_host_ed25519_key"}
    assert {path for path in IDENTITY if before[path] != after[path]} == made
    assert (room.root(clone) / f"var/lib/cloud/instances/{builder}").is_dir()
    room.destroy(builder)
    room.destroy(clone)


def test_a_second_boot_changes_no_identity_but_empties_run_and_tmp(room: MachineRoom) -> None:
    instance = launched(room, "debian-12")
    root = room.root(instance)
    before = {path: (root / path).read_bytes() for path in IDENTITY}
    said(room, instance, "touch /run/x /tmp/x /var/tmp/x")
    room.shut_down(instance)
    room.boot(instance)
    assert {path: (root / path).read_bytes() for path in IDENTITY} == before
    assert said(room, instance, "ls /run/x /tmp/x /var/tmp/x 2>/dev/null") == "/var/tmp/x"
    room.destroy(instance)


def test_keys_to_log_in_with_are_there_only_where_a_key_was_named(room: MachineRoom) -> None:
    room.add_base_image("ami-centos", "centos-7")
    for key_name, expected in ((None, False), ("mine", True)):
        birth = a_birth("centos-7", key_name=key_name)
        room.create(birth, "ami-centos")
        room.boot(birth.instance_id)
        home = room.root(birth.instance_id) / "home/centos"
        assert (home / ".ssh/authorized_keys").exists() is expected
        room.destroy(birth.instance_id)


def test_apt_timers_leave_their_stamps(room: MachineRoom) -> None:
    instance = launched(room, "ubuntu-18.04")
    stamps = room.root(instance) / "var/lib/systemd/timers"
    names = {stamp.name for stamp in stamps.iterdir()}
    assert names == {"stamp-apt-daily.timer", "stamp-apt-daily-upgrade.timer"}
    room.destroy(instance)
