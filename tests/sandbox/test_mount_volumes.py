"""Volumes are found, given a file system, mounted and remembered: on real files, as often as one
likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln_local.machines import StepRun
from kiln_local.machines.asking import nobody
from kiln_local.machines.disks import Disk
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, parsed, step_of, text_of
from tests.sandbox.recipes import b64

pytestmark = pytest.mark.long

MOUNT = parsed(text_of("mount-volumes-linux"))
AMAZON = Row("amazon-linux-2023")
DATA, LOG = "vol-0aaaaaaaaaaaaaaaa", "vol-0bbbbbbbbbbbbbbbb"
# The kernel numbers them otherwise than EC2 was told.
NITRO = (Disk(LOG, "/dev/sdg", "nvme1n1"), Disk(DATA, "/dev/sdf", "nvme2n1"))
XEN = (Disk(DATA, "/dev/sdf", "xvdf"), Disk(LOG, "/dev/sdg", "xvdg"))
BOTH = f"{DATA} /dev/sdf /data\n{LOG} /dev/sdg /data/log"


class Machine:
    """An instance with volumes."""

    def __init__(self, bakery: Bakery) -> None:
        self.bakery = bakery

    def start(self, row: Row = AMAZON, disks: tuple[Disk, ...] = NITRO) -> Machine:
        self.bakery.start(row)
        self.restart(disks)
        return self

    def restart(self, disks: tuple[Disk, ...] = NITRO) -> None:
        self.bakery.room.shut_down(BUILDER)
        self.bakery.room.disks.attach(BUILDER, disks)
        self.bakery.room.boot(BUILDER)

    def mount(self, lines: str = BOTH) -> StepRun:
        return self.bakery.run(BUILDER, MOUNT, Volumes=b64(lines), Wait="1").steps[0]

    def sh(self, script: str) -> str:
        return self.bakery.sh(BUILDER, script)

    def ask(self, script: str) -> StepRun:
        """Run a script as a recipe, which may mount."""
        document = {"mainSteps": [{"name": "s", "action": "aws:runShellScript"}]}
        inputs = {"inputs": {"runCommand": [script]}}
        step = document["mainSteps"][0] | inputs
        return self.bakery.run(BUILDER, {"mainSteps": [step]}).steps[0]

    def source(self, folder: str) -> str:
        """What is mounted on a folder."""
        return self.sh(f"findmnt -n -f -o SOURCE {folder}").strip()


@pytest.fixture
def box(bakery: Bakery) -> Iterator[Machine]:
    yield Machine(bakery)
    bakery.room.answer = nobody
    bakery.stop(BUILDER, CLONE)
    for volume in (DATA, LOG):
        bakery.room.disks.forget(volume)


def failed(step: StepRun) -> str:
    assert step.exit_code == 1, step
    return step.stderr.splitlines()[-1]


def own_lines(box: Machine) -> list[list[str]]:
    """Kiln's lines of fstab, without their UUIDs."""
    lines = box.sh("grep kiln /etc/fstab").splitlines()
    assert all(line.startswith("UUID=") for line in lines)
    return [line.split()[1:] for line in lines]


@pytest.mark.parametrize(("disks", "device"), [(NITRO, "nvme2n1"), (XEN, "xvdf")])
def test_each_volume_comes_to_its_own_mount_point(
    box: Machine, disks: tuple[Disk, ...], device: str
) -> None:
    step = box.start(disks=disks).mount()
    assert step.exit_code == 0, step
    assert f"/data: /dev/{device} ({DATA}), xfs, made now" in step.stdout
    assert box.source("/data") == f"/dev/{device}"
    assert box.source("/data/log") == f"/dev/{disks[0 if disks is NITRO else 1].name}"
    options = "defaults,nofail,comment=kiln"
    assert own_lines(box) == [
        ["/data", "xfs", options, "0", "2"],
        ["/data/log", "xfs", options, "0", "2"],
    ]


def test_a_second_run_changes_nothing(box: Machine) -> None:
    box.start().mount()
    box.sh("echo mine >/data/log/file")
    before = box.sh("cat /etc/fstab; stat -c %Y-%i /etc/fstab; cat /dev/nvme?n1")
    step = box.mount()
    assert step.exit_code == 0
    assert step.stdout.count("as it was") == len(step.stdout.splitlines()) == 2
    assert box.sh("cat /etc/fstab; stat -c %Y-%i /etc/fstab; cat /dev/nvme?n1") == before
    assert box.sh("cat /data/log/file") == "mine\n"


def test_after_a_restart_all_is_there_already_whatever_the_devices_are_called_now(
    box: Machine,
) -> None:
    box.start().mount()
    box.sh("echo mine >/data/file")
    box.restart((Disk(DATA, "/dev/sdf", "nvme1n1"), Disk(LOG, "/dev/sdg", "nvme2n1")))
    assert box.sh("cat /data/file") == "mine\n"
    step = box.mount()
    assert step.stdout.splitlines()[0] == f"/data: /dev/nvme1n1 ({DATA}), xfs, as it was"
    assert len(own_lines(box)) == 2


def test_a_file_system_that_is_there_is_kept_with_all_that_is_on_it(box: Machine) -> None:
    box.start().ask("mkfs.ext4 -q /dev/nvme2n1; mkdir /old; mount /dev/nvme2n1 /old; touch /old/x")
    box.restart()
    step = box.mount(f"{DATA} /dev/sdf /data")
    assert f"/data: /dev/nvme2n1 ({DATA}), ext4, as it was" in step.stdout
    assert box.sh("ls /data").split() == ["lost+found", "x"]
    assert own_lines(box)[0][:2] == ["/data", "ext4"]


@pytest.mark.parametrize(
    ("platform", "kind"),
    [("debian-12", "ext4"), ("amazon-linux-1", "ext4"), ("ubuntu-22.04", "xfs")],
)
def test_the_file_system_is_xfs_where_it_can_be_made(
    box: Machine, platform: str, kind: str
) -> None:
    step = box.start(Row(platform)).mount(f"{DATA} /dev/sdf /data")
    assert f"{kind}, made now" in step.stdout
    assert own_lines(box)[0][1] == kind


def test_a_device_that_never_comes_is_named_with_those_that_are_here(box: Machine) -> None:
    step = box.start(disks=NITRO[:1]).mount()
    assert failed(step) == (
        f"volumes: /data: the device of {DATA} (/dev/sdf) did not come within 1 seconds; here "
        f"are: nvme1n1 ({LOG.replace('-', '', 1)})"
    )
    assert own_lines(box) == []


def test_a_device_that_comes_late_is_waited_for(box: Machine) -> None:
    box.start(disks=XEN[1:])
    box.sh("(sleep 0.5; mkdir -p /dev/kiln-local/xvdf/tree; : >/dev/xvdf) >/dev/null 2>&1 &")
    # Nobody knows this device, so only its mount fails.
    said = failed(box.mount(f"{DATA} /dev/sdf /data"))
    assert said == f"volumes: /dev/xvdf ({DATA}, xfs) could not be mounted on /data"


def test_a_link_of_the_right_name_to_another_volume_is_not_taken_for_it(box: Machine) -> None:
    """Amazon Linux links /dev/sdf to an NVMe device; the serial number says which volume it is."""
    box.start(disks=NITRO[:1]).sh("ln -s nvme1n1 /dev/sdf")
    assert "did not come within 1 seconds" in failed(box.mount(f"{DATA} /dev/sdf /data"))
    assert box.sh("cat /dev/nvme1n1") == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("exit 0", "holds something that is no file system, a partition table perhaps"),
        ("exit 8", "blkid is not sure what /dev/nvme2n1"),
    ],
)
def test_what_is_not_surely_empty_is_left_alone(box: Machine, answer: str, said: str) -> None:
    box.start().sh(f"printf '#!/bin/sh\\n{answer}\\n' >/usr/sbin/blkid; chmod 755 /usr/sbin/blkid")
    found = failed(box.mount(f"{DATA} /dev/sdf /data"))
    assert said in found
    assert found.endswith("left alone" if "no file" in said else "says 8; it was left alone")
    assert box.sh("cat /dev/nvme2n1; ls -d /data 2>/dev/null") == ""


def test_a_folder_that_holds_something_is_not_hidden(box: Machine) -> None:
    box.start().sh("mkdir -p /data; echo baked >/data/file")
    said = failed(box.mount(f"{DATA} /dev/sdf /data"))
    assert said.startswith("volumes: /data is not empty: /data/file would be hidden")
    assert box.sh("cat /data/file") == "baked\n"


def test_a_mount_point_that_something_else_has_is_refused(box: Machine) -> None:
    box.start().ask("mkfs.ext4 -q /dev/nvme1n1; mkdir /data; mount /dev/nvme1n1 /data")
    said = failed(box.mount(f"{DATA} /dev/sdf /data"))
    assert (
        said == f"volumes: /data is taken: /dev/nvme1n1 is mounted there, not /dev/nvme2n1 ({DATA})"
    )


def test_a_line_of_somebody_elses_is_refused_before_anything_is_made(box: Machine) -> None:
    box.start().sh("echo '/dev/xvdb /data auto defaults,comment=cloudconfig 0 2' >>/etc/fstab")
    said = failed(box.mount())
    assert said.startswith(
        f"volumes: /etc/fstab has /dev/xvdb for /data, which is the volume {DATA}'s"
    )
    assert box.sh("cat /dev/nvme?n1") == ""


def test_lines_of_another_machine_go_and_everything_else_stays(box: Machine) -> None:
    fstab = "# comment=kiln is ours\\nLABEL=root / ext4 defaults 1 1\\n\\n"
    old = "UUID=1 /old xfs defaults,nofail,comment=kiln 0 2"
    box.start().sh(f"printf '{fstab}{old}' >/etc/fstab")
    box.mount(f"{DATA} /dev/sdf /data")
    found = box.sh("cat /etc/fstab").splitlines()
    assert found[:3] == ["# comment=kiln is ours", "LABEL=root / ext4 defaults 1 1", ""]
    assert [line.split()[1] for line in found[3:]] == ["/data"]


@pytest.mark.parametrize(
    "line",
    [
        *("vol-0a /dev/sdf /data;x", "vol-0a /dev/sdf /da*", "vol-0a /dev/../sda /data"),
        *("vol-0a /dev/sdf /a/../etc", "vol-x /dev/sdf /data", "x /dev/sdf /data"),
        *(
            "vol-0a sdf /data",
            "vol-0a /dev/sdf data",
            "vol-0a /dev/sdf /data more",
            "vol-0a /dev/sdf /",
        ),
    ],
)
def test_what_is_no_volume_is_refused_before_anything_is_made(room: Bakery, line: str) -> None:
    instance = room.shared(AMAZON)
    step = room.run(instance, MOUNT, Volumes=b64(f"{BOTH}\n{line}"), Wait="0").steps[0]
    assert step.exit_code == 1
    assert "did not come" not in step.stderr
    assert room.sh(instance, "ls -d /data /etc/fstab") == "/etc/fstab\n"


def test_neither_the_files_nor_the_lines_are_in_an_image(box: Machine) -> None:
    box.start().mount()
    box.sh("echo mine >/data/file")
    bakery = box.bakery
    assert [run.status for run in (bakery.prepare(AMAZON), bakery.clean(AMAZON))] == ["Success"] * 2
    assert own_lines(box) == []
    bakery.make_image("clean")
    assert bakery.verify(AMAZON, "clean").leftovers == []
    assert bakery.sh(CLONE, "find /data; cat /etc/fstab").split() == [
        *("/data", "LABEL=root", "/", "ext4", "defaults", "1", "1")
    ]


def test_a_line_that_was_left_in_an_image_is_found_on_a_clone(box: Machine) -> None:
    box.start().mount(f"{DATA} /dev/sdf /data")
    box.bakery.prepare(AMAZON)
    text = text_of("clean-linux")
    without = text.replace("cat /etc/fstab.kiln >/etc/fstab", ":")
    assert without != text
    box.bakery.clean(AMAZON, parsed(without))
    box.bakery.make_image("mutant")
    verified = box.bakery.verify(AMAZON, "mutant")
    assert verified.leftovers == ["/etc/fstab, the volume of /data"]
    assert step_of(verified.run, "leftovers").exit_code == 1


# ------------------------------------------------------------ the stand-ins


def test_a_recipe_may_unmount_and_mount_by_fstab(box: Machine) -> None:
    box.start().mount(f"{DATA} /dev/sdf /data")
    box.sh("touch /data/file")
    step = box.ask("umount /data && ls /data; mount /data && ls /data")
    assert step.exit_code == 0, step
    assert "local AWS: what is on /data lies in a folder" in step.stdout
    assert step.stdout.splitlines()[-1] == "file"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "mkdir /x; mount /dev/nvme1n1 /x",
            "wrong fs type, bad option, bad superblock on /dev/nvme1n1",
        ),
        ("mkfs.xfs /dev/nvme1n1; mount /dev/nvme1n1 /none", "mount point does not exist"),
        (
            "mkfs.xfs /dev/nvme1n1; mkfs.xfs /dev/nvme1n1",
            "appears to contain an existing filesystem",
        ),
        ("mkfs.xfs /dev/null", "is no volume of this instance"),
        ("mount -t tmpfs tmpfs /mnt", "/mnt"),
    ],
)
def test_what_mount_and_mkfs_refuse_they_refuse_here(box: Machine, script: str, said: str) -> None:
    step = box.start().ask(script)
    assert step.exit_code != 0
    assert said in step.stderr
