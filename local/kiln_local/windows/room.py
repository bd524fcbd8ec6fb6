"""All simulated Windows instances and images of one local AWS, as directories below one home."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiln_local.machines import Birth, DocumentRun, RunOrder
from kiln_local.windows.agent import WindowsRunner
from kiln_local.windows.baseline import make_windows
from kiln_local.windows.machine import Around, WindowsMachine


@dataclass
class _Instance:
    birth: Birth
    root: Path
    runs: bool = False


class WindowsRoom:
    """What MachineRoom is for Linux. `powered_off` is told of an instance whose system went down by
    itself."""

    def __init__(self, home: Path, around: Around, powered_off: Callable[[str], None]) -> None:
        self._home = home / "windows"
        self._around = around
        self._powered_off = powered_off
        self._instances: dict[str, _Instance] = {}
        self._images: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def add_base_image(self, image_id: str, platform: str, language: str = "en-US") -> None:
        """Know an image as a base; its tree is made when it is first used."""
        self._images[image_id] = (platform, language)

    def has_image(self, image_id: str) -> bool:
        """Whether an image is one of Windows."""
        return image_id in self._images

    def has(self, instance_id: str) -> bool:
        """Whether an instance is here."""
        return instance_id in self._instances

    def platform_of(self, image_id: str) -> str:
        """The platform of an image."""
        return self._images[image_id][0]

    def capture(self, instance_id: str, image_id: str) -> int:
        """Copy an instance into an image; the bytes that were copied."""
        source, target = self._instances[instance_id].root, self._home / "images" / image_id
        shutil.copytree(source, target)
        self._images[image_id] = (self._instances[instance_id].birth.platform, "")
        return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())

    def copy_image(self, source_id: str, image_id: str) -> None:
        """Another image of the same files."""
        source = self._home / "images" / source_id
        self._images[image_id] = self._images[source_id]
        if source.exists():
            shutil.copytree(source, self._home / "images" / image_id)

    def forget_image(self, image_id: str) -> None:
        """Remove an image."""
        self._images.pop(image_id, None)
        shutil.rmtree(self._home / "images" / image_id, ignore_errors=True)

    def image_root(self, image_id: str) -> Path:
        """An image's tree, made now if it is a base that nobody has used."""
        own = self._home / "images" / image_id
        if own.exists():
            return own
        platform, language = self._images[image_id]
        base = self._home / "bases" / f"{platform}-{language}"
        with self._lock:
            if not base.exists():
                make_windows(base, platform, language)
        return base

    def create(self, birth: Birth, image_id: str) -> None:
        """A new instance; it does not run yet."""
        root = self._home / "instances" / birth.instance_id
        shutil.copytree(self.image_root(image_id), root)
        self._instances[birth.instance_id] = _Instance(birth, root)

    def boot(self, instance_id: str) -> None:
        """Boot; one that is gone stays gone."""
        instance = self._instances.get(instance_id)
        if instance:
            self.machine(instance_id).boot(instance_id, instance.birth.user_data)
            instance.runs = True

    def machine(self, instance_id: str) -> WindowsMachine:
        """The machine as it is on its disk."""
        return WindowsMachine(self._instances[instance_id].root, self._around)

    def shut_down(self, instance_id: str) -> None:
        """Shut down."""
        if instance_id in self._instances:
            self._instances[instance_id].runs = False

    def destroy(self, instance_id: str) -> None:
        """Remove an instance."""
        instance = self._instances.pop(instance_id, None)
        if instance:
            shutil.rmtree(instance.root, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self._instances.clear()
        self._images.clear()
        shutil.rmtree(self._home, ignore_errors=True)

    def root(self, instance_id: str) -> Path:
        """An instance's folder: drive C: is `C` in it."""
        return self._instances[instance_id].root

    def running(self, instance_id: str) -> bool:
        """Whether an instance runs."""
        instance = self._instances.get(instance_id)
        return instance is not None and instance.runs

    def run(self, order: RunOrder, on_reboot: Callable[[], None]) -> DocumentRun:
        """Apply a document's scripts. KeyError for an instance that is gone, or goes meanwhile."""
        runner = WindowsRunner(order, lambda: self.machine(order.instance_id), on_reboot)
        try:
            run = runner.run()
        except FileNotFoundError:
            if order.instance_id in self._instances:
                raise
            raise KeyError(order.instance_id) from None
        if runner.went_off:
            self._powered_off(order.instance_id)
        return run
