"""Mounts volumes inside one instance. Run as a program of its own, because whoever enters a user
namespace must be alone in its process: PID, `user` or `-`, then JSON.

JSON has `disks`, each with the name of its device and its UUID, and either `mount` with a name and
a folder, `unmount` with a folder, or `boot`: what the instance's own fstab(5) says. Every path is
the instance's, looked at from inside; no program of the instance's runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_DEVICES = "/dev/kiln-local"


def _checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def enter(process: int, user: bool) -> None:
    """Go where a process is: its mounts, and before them its user namespace."""
    kinds = ("user", "mnt") if user else ("mnt",)
    opened = [os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY) for kind in kinds]
    for descriptor in opened:
        _checked(_LIBC.setns(descriptor, 0), "setns")
    os.chdir("/")


def mount(name: str, folder: str, user: bool) -> None:
    """Mount a device's folder. An overlay, because its source is a name of our choice: findmnt and
    df show the device."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    place = f"{_DEVICES}/{name}"
    layers = f"lowerdir={_DEVICES}/empty,upperdir={place}/tree,workdir={place}/work"
    options = layers + (",userxattr" if user else "")
    arguments = (f"/dev/{name}", folder, "overlay")
    encoded = [os.fsencode(text) for text in arguments]
    _checked(_LIBC.mount(*encoded, 0, os.fsencode(options)), f"mount {folder}")


def of_fstab(disks: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Names and folders of the volumes that fstab(5) mounts at boot, all as if by nofail."""
    names = {f"UUID={disk['uuid']}": disk["name"] for disk in disks if disk["uuid"]}
    try:
        lines = Path("/etc/fstab").read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.split()
        if len(words) >= 4 and words[0] in names and "noauto" not in words[3].split(","):
            yield names[words[0]], words[1]


def main(arguments: list[str]) -> None:
    """Enter and do it. OSError with what the kernel said."""
    process, user, order = int(arguments[0]), arguments[1] == "user", json.loads(arguments[2])
    enter(process, user)
    if "unmount" in order:
        _checked(_LIBC.umount2(os.fsencode(order["unmount"]), 0), f"umount {order['unmount']}")
    wanted = [order["mount"]] if "mount" in order else []
    for name, folder in of_fstab(order["disks"]) if "boot" in order else wanted:
        mount(name, folder, user)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"{error.filename or error.strerror}: {os.strerror(error.errno or 0)}")
