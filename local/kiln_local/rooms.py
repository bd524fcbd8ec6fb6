"""The machines of one local AWS: Linux in sandboxes, Windows simulated, behind one face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kiln_local.machines import Birth, DocumentRun, MachineRoom, RunOrder
from kiln_local.machines.disks import Disk
from kiln_local.windows.room import WindowsRoom


class Rooms:
    """Hands each image and each instance to the room that it is in."""

    def __init__(self, linux: MachineRoom, windows: WindowsRoom) -> None:
        self.linux = linux
        self.windows = windows

    def _of(self, instance_id: str) -> MachineRoom | WindowsRoom:
        return self.windows if self.windows.has(instance_id) else self.linux

    def _with(self, image_id: str) -> MachineRoom | WindowsRoom:
        return self.windows if self.windows.has_image(image_id) else self.linux

    @property
    def sandbox_error(self) -> str | None:
        """Why nothing can be run on Linux here."""
        return self.linux.sandbox_error

    def add_base_image(self, image_id: str, platform: str, language: str = "en-US") -> None:
        """Know an image as a base of a platform."""
        if platform.startswith("windows"):
            self.windows.add_base_image(image_id, platform, language)
        else:
            self.linux.add_base_image(image_id, platform)

    def platform_of(self, image_id: str) -> str:
        """The platform of an image. KeyError for an unknown image."""
        return self._with(image_id).platform_of(image_id)

    def capture(self, instance_id: str, image_id: str) -> int:
        """Copy an instance into an image; the bytes that were copied."""
        return self._of(instance_id).capture(instance_id, image_id)

    def image_from_tar(self, image_id: str, tar: bytes) -> None:
        """Make an image of a bundle, which is Linux always."""
        self.linux.image_from_tar(image_id, tar)

    def copy_image(self, source_id: str, image_id: str) -> None:
        """Make another image of the same files."""
        self._with(source_id).copy_image(source_id, image_id)

    def forget_image(self, image_id: str) -> None:
        """Remove an image."""
        self._with(image_id).forget_image(image_id)

    def image_root(self, image_id: str) -> Path:
        """The root of an image."""
        return self._with(image_id).image_root(image_id)

    def create(self, birth: Birth, image_id: str) -> None:
        """A new instance from an image; it does not run yet."""
        self._with(image_id).create(birth, image_id)

    def attach(self, instance_id: str, disks: tuple[Disk, ...]) -> None:
        """The volumes that an instance has from its next boot on; a simulated Windows sees none."""
        if not self.windows.has(instance_id):
            self.linux.disks.attach(instance_id, disks)

    def boot(self, instance_id: str) -> None:
        """Boot an instance."""
        self._of(instance_id).boot(instance_id)

    def shut_down(self, instance_id: str) -> None:
        """Shut an instance down."""
        self._of(instance_id).shut_down(instance_id)

    def destroy(self, instance_id: str) -> None:
        """Remove an instance, running or not."""
        self._of(instance_id).destroy(instance_id)

    def close(self) -> None:
        """Remove every instance and every image."""
        self.linux.close()
        self.windows.close()

    def root(self, instance_id: str) -> Path:
        """The root of an instance."""
        return self._of(instance_id).root(instance_id)

    def running(self, instance_id: str) -> bool:
        """Whether an instance runs."""
        return self._of(instance_id).running(instance_id)

    def run(self, order: RunOrder, on_reboot: Callable[[], None]) -> DocumentRun:
        """Run a document on an instance."""
        return self._of(order.instance_id).run(order, on_reboot)
