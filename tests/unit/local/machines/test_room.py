"""Instances and images come, are copied and go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiln_local.machines import MachineRoom
from tests.unit.local.machines.rooms import (
    a_birth,
    a_document,
    a_step,
    an_order,
    cloned,
    ended,
    launched,
    said,
)


def test_a_clone_has_what_was_installed_and_written_on_its_builder(room: MachineRoom) -> None:
    builder = launched(room, "amazon-linux-2")
    said(room, builder, "yum -y install httpd; echo '<p>' >/srv/page; echo x >/usr/local/bin/tool")
    said(
        room,
        builder,
        "rm -f /usr/bin/cal; mkdir -m 0 /srv/closed; install -m 0 /dev/null /etc/none",
    )
    clone = cloned(room, builder, "amazon-linux-2")
    room.destroy(builder)
    assert said(room, clone, "cat /srv/page /usr/local/bin/tool") == "<p>\nx"
    assert ended(room, clone, "rpm -q httpd && ! test -e /usr/bin/cal") == 0
    room.destroy(clone)


def test_an_image_is_as_large_as_what_was_copied_and_goes_whole(room: MachineRoom) -> None:
    instance = launched(room, "debian-13")
    small = room.capture(instance, "ami-small")
    said(room, instance, "head -c 300000 /dev/zero >/srv/big")
    large = room.capture(instance, "ami-large")
    assert large - small >= 300000
    assert room.platform_of("ami-large") == "debian-13"
    place = room.image_root("ami-large")
    room.forget_image("ami-large")
    assert not place.exists()
    with pytest.raises(KeyError):
        room.platform_of("ami-large")
    room.destroy(instance)


def test_what_an_instance_changes_is_not_in_its_image(room: MachineRoom) -> None:
    first = launched(room, "rhel-9")
    said(room, first, "echo x >/etc/mine; rm /etc/fstab")
    second = launched(room, "rhel-9")
    assert said(room, second, "ls /etc/mine /etc/fstab 2>/dev/null") == "/etc/fstab"
    room.destroy(first)
    room.destroy(second)


def test_certificates_and_public_keys_are_there_to_be_kept(room: MachineRoom) -> None:
    for platform, paths in (
        ("ubuntu-24.04", "/etc/apt/trusted.gpg.d/archive.gpg /etc/ssl/certs/ca-certificates.crt"),
        ("rhel-9", "/etc/pki/rpm-gpg/RPM-GPG-KEY-local /etc/pki/tls/certs/ca-bundle.crt"),
    ):
        instance = launched(room, platform)
        assert room.enter(instance, ["ls", *paths.split()]).exit_code == 0
        room.destroy(instance)


def test_instances_may_be_used_by_several_threads_at_once(room: MachineRoom) -> None:
    def life(platform: str) -> str:
        instance = launched(room, platform)
        order = an_order(instance, a_document(a_step("hostname")))
        step = room.run(order, lambda: None).steps[0]
        room.shut_down(instance)
        room.destroy(instance)
        return step.status

    platforms = ["ubuntu-22.04", "rhel-9", "debian-12", "amazon-linux-2023"]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(life, platforms)) == {"Success"}


def test_an_instance_that_is_destroyed_while_it_boots_stays_gone(room: MachineRoom) -> None:
    room.add_base_image("ami-raced", "debian-12")
    births = [a_birth("debian-12") for _ in range(4)]
    for birth in births:
        room.create(birth, "ami-raced")
    places = [room.root(birth.instance_id).parent for birth in births]
    with ThreadPoolExecutor(8) as pool:
        boots = [pool.submit(room.boot, birth.instance_id) for birth in births]
        for birth in births:
            pool.submit(room.destroy, birth.instance_id)
    assert [boot.exception() for boot in boots] == [None] * 4
    assert [place for place in places if place.exists()] == []


def test_an_instance_that_is_gone_neither_boots_nor_shuts_down(room: MachineRoom) -> None:
    instance = launched(room, "debian-12")
    room.destroy(instance)
    room.boot(instance)
    room.shut_down(instance)
    assert not room.running(instance)


def test_a_document_ends_with_the_instance_that_it_runs_on(room: MachineRoom) -> None:
    instance = launched(room, "debian-12")
    place = room.root(instance).parent
    order = an_order(instance, a_document(a_step("exit 194", "one"), a_step("true", "two")))
    done = room.run(order, lambda: room.destroy(instance))
    assert [step.exit_code for step in done.steps] == [255, 255]
    assert not place.exists()


def test_where_no_sandbox_can_be_had_a_document_is_recorded_as_not_run(tmp_path: Path) -> None:
    room = MachineRoom(tmp_path)
    room.sandbox_error = "no sandbox can be made here: it is a test"
    room.add_base_image("ami-1", "rhel-9")
    birth = a_birth("rhel-9", chef=None)
    room.create(birth, "ami-1")
    room.boot(birth.instance_id)
    order = an_order(birth.instance_id, a_document(a_step("touch /never", "one")))
    done = room.run(order, lambda: None)
    assert (done.ran, done.why_not) == (False, room.sandbox_error)
    assert [(step.name, step.ran) for step in done.steps] == [("one", False)]
    assert (room.root(birth.instance_id) / "etc/machine-id").is_file()
    room.shut_down(birth.instance_id)
    room.close()


def test_a_document_on_an_instance_that_does_not_run_fails(room: MachineRoom) -> None:
    instance = launched(room, "rhel-9")
    room.shut_down(instance)
    done = room.run(an_order(instance, a_document(a_step("true"))), lambda: None)
    assert done.status == "Failed"
    room.destroy(instance)
