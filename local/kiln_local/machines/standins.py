"""The lower layer of an instance's /usr: stand-ins for what the local AWS imitates, and holes
where a tool is foreign.

A stand-in says on its output that it is one. Queries and removals of packages are the host's real
tools.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path

from kiln_local.machines.distros import Distro
from kiln_local.machines.sandbox import in_user_namespace
from kiln_local.machines.units import write_units

_SOURCE = Path(__file__).with_name("standins")
_QUIET = (
    *("journalctl", "timedatectl", "localectl", "snap", "auditctl"),
    *("yum-config-manager", "amazon-linux-extras", "add-apt-repository", "restorecon"),
)
_DEB_ONLY = (
    *("dpkg", "dpkg-query", "dpkg-deb", "apt", "apt-get", "apt-cache", "apt-key", "apt-mark"),
    *("update-rc.d", "add-apt-repository", "debconf-set-selections", "dpkg-reconfigure"),
)
_RPM_ONLY = (
    *("rpm", "rpmbuild", "rpm2cpio", "rpmkeys", "rpmdb", "rpmsign", "yum", "dnf", "microdnf"),
    *("chkconfig", "yum-config-manager", "amazon-linux-extras", "subscription-manager"),
)
_SYSTEMD_ONLY = ("systemctl", "journalctl", "hostnamectl", "timedatectl", "localectl")
# Where the host keeps a real one in /usr/sbin, it must not be found first.
_ALSO_IN_SBIN = (
    *("service", "shutdown", "reboot", "poweroff", "halt", "chkconfig", "update-rc.d"),
    *("blkid", "mkfs.ext4", "mkfs.xfs"),
)
# The real ones beside their stand-ins, for all that these leave to them.
_ALSO_REAL = ("mount", "umount")


def make_standins(place: Path, distro: Distro) -> None:
    """Write the layer for one platform."""
    programs = place / "bin"
    programs.mkdir(parents=True)
    (place / "sbin").mkdir()
    for kind in _kinds(distro):
        _copy(kind, programs)
    for name in _QUIET:
        _link(programs / name, "quiet")
    for name in ("reboot", "poweroff", "halt"):
        _link(programs / name, "shutdown")
    _link(programs / "mkfs.xfs", "mkfs.ext4")
    _link(programs / ("apt" if distro.deb else "yum"), "apt-get" if distro.deb else "dnf")
    for name in _foreign(distro):
        _hide(programs / name)
        _hide(place / "sbin" / name)
    (place / "lib/kiln-local").mkdir(parents=True)
    for name in _ALSO_REAL:
        shutil.copy(shutil.which(name) or f"/usr/bin/{name}", place / "lib/kiln-local" / name)
    for name in _ALSO_IN_SBIN:
        if (programs / name).is_file():
            shutil.copy(programs / name, place / "sbin" / name)
    _units(place / "lib/systemd/system", distro)
    # A package of a name that the host has too must be able to own its folder.
    _hide_below(place / "share/doc")


def _kinds(distro: Distro) -> tuple[str, ...]:
    tools = "deb" if distro.deb else "rpm"
    return ("common", tools, "systemd") if distro.systemd else ("common", tools)


def _foreign(distro: Distro) -> tuple[str, ...]:
    tools = _RPM_ONLY if distro.deb else _DEB_ONLY
    # The images of Debian and of Amazon Linux 1 come without xfsprogs.
    bare = distro.id == "debian" or not (distro.deb or distro.systemd)
    lacking = ("mkfs.xfs",) if bare else ()
    return (*tools, *lacking) if distro.systemd else (*tools, *lacking, *_SYSTEMD_ONLY)


def _copy(kind: str, target: Path) -> None:
    for file in (_SOURCE / kind).iterdir():
        shutil.copy(file, target / file.name)
        (target / file.name).chmod(0o755)


def _link(path: Path, to: str) -> None:
    path.symlink_to(to)


def _hide(path: Path) -> None:
    # overlayfs.rst: a character device 0/0 is a whiteout; making one needs no privilege since
    # Linux 5.8.
    path.unlink(missing_ok=True)
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(0, 0))


def _units(folder: Path, distro: Distro) -> None:
    """The base image's own units, in place of the host's."""
    if distro.systemd:
        write_units(folder, distro)
        _hide_below(folder)


def _hide_below(folder: Path) -> None:
    """Nothing of the host's folder is seen through this one: overlayfs.rst, opaque directories."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{'user' if in_user_namespace() else 'trusted'}.overlay.opaque"
    # A file system without such attributes shows the host's files besides; nothing else changes.
    with contextlib.suppress(OSError):
        os.setxattr(folder, name, b"y")
