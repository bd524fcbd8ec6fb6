"""All instances and images of one local AWS, as directories below one home."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kiln_local.machines.agent import DocumentRun, DocumentRunner, RunOrder, not_run
from kiln_local.machines.asking import Answering, answering, nobody
from kiln_local.machines.boot import Birth, boot, empty, save_random_seed
from kiln_local.machines.bundling import make_mount_points, platform_in, unpack, with_usr
from kiln_local.machines.disks import Disks
from kiln_local.machines.distros import DISTROS, Distro
from kiln_local.machines.opsworks import install_agent, leave_traces
from kiln_local.machines.sandbox import (
    Ended,
    Place,
    Sandbox,
    as_owner,
    remove,
    why_unavailable,
)
from kiln_local.machines.standins import make_standins
from kiln_local.machines.trees import make_tree
from kiln_local.machines.units import ACTIVE, last_commands
from kiln_local.machines.working import Limit

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# systemd.special(7): a stop job gets 90 seconds.
_LAST_COMMAND_S = 90.0


@dataclass
class _Instance:
    """One instance: its birth, its place, and its namespaces while it runs. `lock` keeps one that
    is being destroyed from booting."""

    birth: Birth
    distro: Distro
    place: Place
    sandbox: Sandbox | None = None
    born: bool = False
    gone: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root(self) -> Path:
        return self.place.root

    def run(self, argv: list[str], environment: dict[str, str], limit: Limit, cwd: str) -> Ended:
        if self.sandbox is None:
            return Ended(255, b"", b"the instance is not running\n")
        return self.sandbox.run(argv, environment, limit, cwd)


class MachineRoom:
    """Makes, boots, stops, copies and removes instances. Safe for threads that use different
    instances.

    `sandbox_error` says in plain words why nothing can be run here, None where it can. Documents
    are then recorded as not run; files are made all the same. `speed` divides the time-outs of
    documents, as `working` says. `answer` answers what programs on an instance ask of
    the world outside while a document runs; `disks` are the volumes that instances have.
    """

    def __init__(self, home: Path, speed: float = 1.0) -> None:
        self._home = home
        self._speed = speed
        self._instances: dict[str, _Instance] = {}
        self._images: dict[str, str] = {}
        self._lock = threading.RLock()
        self.sandbox_error = why_unavailable(home)
        self.answer: Answering = nobody
        self.disks = Disks(home / "volumes")

    # ------------------------------------------------------------ images

    def add_base_image(self, image_id: str, platform: str) -> None:
        """Know an image as a base of a platform; its tree is made when it is first used."""
        self._images[image_id] = platform

    def platform_of(self, image_id: str) -> str:
        """The platform that an image was made from. KeyError for an unknown image."""
        return self._images[image_id]

    def capture(self, instance_id: str, image_id: str) -> int:
        """Copy an instance into an image; the bytes that were copied."""
        instance = self._instances[instance_id]
        target = self._image_place(image_id)
        _copy(instance.place, target)
        self._images[image_id] = instance.birth.platform
        return _size(target.root) + _size(target.usr)

    def image_from_tar(self, image_id: str, tar: bytes) -> None:
        """Make an image of a bundle: the root with the instance's changes to /usr inside."""
        target = self._image_place(image_id)
        for folder in (target.root, target.usr, target.work):
            folder.mkdir(parents=True, exist_ok=True)
        unpack(tar, target.root)
        inner = target.root / ".kiln-local/usr.tar"
        unpack(inner.read_bytes(), target.usr)
        as_owner(["rm", "-rf", str(inner.parent)])
        make_mount_points(target.root)
        self._images[image_id] = platform_in(target.root)

    def copy_image(self, source_id: str, image_id: str) -> None:
        """Another image of the same files: linked, for nothing changes an image."""
        self._images[image_id] = self._images[source_id]
        source = self._image_place(source_id)
        if source.root.exists():
            _copy(source, self._image_place(image_id), "--link")

    def forget_image(self, image_id: str) -> None:
        """Remove an image."""
        self._images.pop(image_id, None)
        remove(self._home / "images" / image_id)

    def image_root(self, image_id: str) -> Path:
        """The root file system of an image, made now if it is a base that nobody has used."""
        return self._image(image_id).root

    def _image(self, image_id: str) -> Place:
        """A captured image's own tree, else the one that all bases of a platform share."""
        platform = self._images[image_id]
        place = self._image_place(image_id)
        return place if place.root.exists() else self._base(platform)

    def _base(self, platform: str) -> Place:
        distro, runs = DISTROS[platform], self.sandbox_error is None
        return self._made(platform, distro, lambda place: make_tree(place, distro, runs))

    def _stack_base(self, platform: str) -> Place:
        """A base with the packages of the OpsWorks agent, which it takes a while to install."""
        distro, base = DISTROS[platform], self._base(platform)

        def make(place: Place) -> None:
            _copy(base, place)
            install_agent(place, distro)

        return self._made(f"{platform}-opsworks", distro, make)

    def _made(self, name: str, distro: Distro, make: Callable[[Place], None]) -> Place:
        """A base tree, made once; one that was left half made is made anew."""
        place = self._place(self._home / "bases" / name, distro)
        with self._lock:
            if not place.root.exists():
                making = self._place(self._home / "bases" / f"{name}.making", distro)
                remove(making.root.parent)
                make(making)
                making.root.parent.rename(place.root.parent)
        return place

    def _image_place(self, image_id: str) -> Place:
        return self._place(self._home / "images" / image_id, None)

    def _place(self, folder: Path, distro: Distro | None) -> Place:
        standins = self._standins(distro) if distro else Path()
        return Place(folder / "root", folder / "usr", folder / "work", standins)

    def _standins(self, distro: Distro) -> Path:
        place = self._home / "standins" / f"{distro.id}-{distro.version}"
        with self._lock:
            if not place.exists():
                make_standins(place, distro)
        return place

    # ------------------------------------------------------------ instances

    def create(self, birth: Birth, image_id: str) -> None:
        """A new instance from an image; it does not run yet."""
        distro, source = DISTROS[birth.platform], self._image(image_id)
        place = self._place(self._home / "instances" / birth.instance_id, distro)
        traced = birth.chef is not None and self.sandbox_error is None
        of_base = source == self._base(birth.platform)
        _copy(self._stack_base(birth.platform) if traced and of_base else source, place)
        if traced and not of_base:
            install_agent(place, distro)
        self._instances[birth.instance_id] = _Instance(birth, distro, place)

    def boot(self, instance_id: str) -> None:
        """Boot an instance: make the identity that is missing, start its first process. One that is
        destroyed meanwhile stays gone."""
        instance = self._instances.get(instance_id)
        if instance is None:
            return
        with instance.lock:
            if not instance.gone:
                self._boot(instance)

    def _boot(self, instance: _Instance) -> None:
        boot(instance.place, instance.birth, instance.distro)
        if instance.birth.chef and not instance.born:
            leave_traces(instance.place, instance.birth, instance.distro)
        instance.born = True
        if self.sandbox_error is None and instance.sandbox is None:
            name = instance.birth.instance_id
            instance.sandbox = Sandbox(instance.place, self.disks.table(name))
            self.disks.mount_at_boot(name, instance.sandbox)

    def shut_down(self, instance_id: str) -> None:
        """Shut an instance down: services end, the seed is saved, then what asked to run last
        runs. One that is destroyed meanwhile is down."""
        instance = self._instances.get(instance_id)
        if instance is None:
            return
        with instance.lock:
            if not instance.gone:
                self._shut_down(instance)

    def _shut_down(self, instance: _Instance) -> None:
        commands = last_commands(instance.root, instance.distro)
        active = instance.root / ACTIVE
        if active.is_dir():
            empty(active)
        save_random_seed(instance.root, instance.distro)
        if instance.sandbox:
            limit = Limit.of(_LAST_COMMAND_S, self._speed)
            for command in commands:
                argv = ["sh", "-c", command]
                instance.sandbox.run(argv, {"PATH": _PATH}, limit)
            instance.sandbox.end()
            instance.sandbox = None
        empty(instance.root / "run")

    def destroy(self, instance_id: str) -> None:
        """Remove an instance, running or not."""
        instance = self._instances.pop(instance_id, None)
        if instance is None:
            return
        with instance.lock:
            instance.gone = True
            if instance.sandbox:
                instance.sandbox.end()
                instance.sandbox = None
            remove(instance.root.parent)
            self.disks.detach(instance_id)

    def close(self) -> None:
        """Remove every instance and every image."""
        for instance_id in list(self._instances):
            self.destroy(instance_id)
        self._images.clear()
        for folder in ("images", "bases", "standins"):
            remove(self._home / folder)
        self.disks.close()

    def root(self, instance_id: str) -> Path:
        """The root file system of an instance, as the host sees it (without its /usr)."""
        return self._instances[instance_id].root

    def running(self, instance_id: str) -> bool:
        """Whether an instance runs."""
        instance = self._instances.get(instance_id)
        return instance is not None and instance.sandbox is not None

    def enter(self, instance_id: str, argv: Sequence[str]) -> Ended:
        """Run a program on an instance, as a test does."""
        return self._instances[instance_id].run(list(argv), {"PATH": _PATH}, Limit.of(60, 1), "/")

    def run(self, order: RunOrder, on_reboot: Callable[[], None]) -> DocumentRun:
        """Run a document on an instance as the agent does; `on_reboot` reboots it."""
        if self.sandbox_error:
            return not_run(order.document, self.sandbox_error)
        instance = self._instances[order.instance_id]
        mounts = self.disks.answering(order.instance_id, lambda: instance.sandbox, self.answer)
        with answering(instance.root, with_usr(instance.place, mounts)):
            return DocumentRunner(order, lambda: instance, on_reboot, self._speed).run()


def _copy(source: Place, target: Place, how: str = "--reflink=auto") -> None:
    """Copy a root and its changes to /usr; times, owners and attributes stay."""
    target.root.parent.mkdir(parents=True, exist_ok=True)
    # -x: never into what a running instance has mounted.
    command = ["cp", "-ax", how, str(source.root), str(source.usr)]
    as_owner([*command, str(target.root.parent)])
    target.work.mkdir(exist_ok=True)


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        total += sum((Path(parent) / name).lstat().st_size for name in names)
    return total
