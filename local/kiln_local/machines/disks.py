"""EBS volumes of instances: for each a file that stands for its device and a folder that holds what
is on it. They lie beside the instances, so that none is in an image.

The file holds what blkid would find, `TYPE=xfs` and `UUID=...`, and nothing while there is no file
system; the stand-ins of mkfs write it. `/dev/nvme1n1` inside is that file, /dev/kiln-local/nvme1n1
the volume's folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiln_local.machines.asking import Answer, Answering
from kiln_local.machines.sandbox import Sandbox, as_owner, in_user_namespace, remove
from kiln_local.machines.starting import run

_HELPER = Path(__file__).with_name("mounting.py")


@dataclass(frozen=True)
class Disk:
    """A volume on an instance: the device that EC2 was told, and how the kernel calls it. `source`
    is the snapshot that it is made of, if any."""

    volume: str
    device: str
    name: str
    source: str | None = None


class Disks:
    """All volumes of one machine room."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._used: dict[str, tuple[Disk, ...]] = {}
        self._forgotten: set[str] = set()

    # ------------------------------------------------------------ which instance has which

    def attach(self, instance_id: str, disks: tuple[Disk, ...]) -> None:
        """What an instance has from its next boot on."""
        self._used[instance_id] = disks

    def detach(self, instance_id: str) -> None:
        """The instance is gone; volumes that were deleted with it go too."""
        self._used.pop(instance_id, None)
        for volume in list(self._forgotten):
            self.forget(volume)

    def forget(self, volume: str) -> None:
        """Remove a volume, or once the instance is gone that still has it."""
        if any(disk.volume == volume for disks in self._used.values() for disk in disks):
            self._forgotten.add(volume)
            return
        self._forgotten.discard(volume)
        remove(self._place(volume))

    def copy(self, volume: str, snapshot: str) -> None:
        """Make a snapshot of a volume."""
        if self._place(volume).exists():
            as_owner(["cp", "-a", str(self._place(volume)), str(self._place(snapshot))])

    def close(self) -> None:
        """Remove every volume and every snapshot."""
        remove(self._home)

    # ------------------------------------------------------------ as an instance sees them

    def table(self, instance_id: str) -> str:
        """What enter.sh reads: a line of name, serial number and folder for each disk."""
        lines = []
        for disk in self._used.get(instance_id, ()):
            serial = disk.volume.replace("-", "", 1)
            lines.append(f"{disk.name} {serial} {self._made(disk)}\n")
        return "".join(lines)

    def mount_at_boot(self, instance_id: str, sandbox: Sandbox) -> None:
        """Mount what the instance's fstab says."""
        if self._used.get(instance_id):
            self._ask(instance_id, sandbox, {"boot": True})

    def answering(
        self, instance_id: str, sandbox: Callable[[], Sandbox | None], answer: Answering
    ) -> Answering:
        """An answerer that also knows the words `mount` and `umount` of the stand-ins; `sandbox`
        is asked for anew each time, for an instance may be rebooted in between."""

        def asked(words: Sequence[str], sent: bytes | None) -> Answer:
            inside = sandbox()
            if inside is None or words[0] not in ("mount", "umount"):
                return answer(words, sent)
            mounts = words[0] == "mount"
            order: dict[str, object] = (
                {"mount": list(words[1:3])} if mounts else {"unmount": words[1]}
            )
            said = self._ask(instance_id, inside, order)
            # mount(8): 32 is a mount failure.
            return Answer(32, f"{words[0]}: {said}\n") if said else Answer(0)

        return asked

    def _ask(self, instance_id: str, sandbox: Sandbox, order: dict[str, object]) -> str:
        """Why it could not be done; nothing where it was."""
        known = self._used.get(instance_id, ())
        disks = [{"name": disk.name, "uuid": self._uuid(disk)} for disk in known]
        user = "user" if in_user_namespace() else "-"
        command = [sys.executable, "-I", str(_HELPER), str(sandbox.first), user]
        command.append(json.dumps(order | {"disks": disks}))
        done = run(command)
        return done.stderr.decode(errors="replace").strip() if done.returncode else ""

    def _uuid(self, disk: Disk) -> str:
        path = self._place(disk.volume) / "superblock"
        # What lies there is the instance's: a link would lead to a file of the host's.
        text = "" if path.is_symlink() else path.read_text(errors="replace")
        return next((line[5:] for line in text.splitlines() if line.startswith("UUID=")), "")

    def _made(self, disk: Disk) -> Path:
        place = self._place(disk.volume)
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        source = self._place(disk.source) if disk.source else place
        if source.exists():
            as_owner(["cp", "-a", str(source), str(place)])
        for folder in ("tree", "work"):
            (place / folder).mkdir(parents=True, exist_ok=True)
        (place / "superblock").touch()
        return place

    def _place(self, name: str) -> Path:
        return self._home / name
