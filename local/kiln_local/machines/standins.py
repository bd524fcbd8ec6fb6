"""The lower layer of an instance's /usr: stand-ins for what the local AWS imitates, and holes
where a tool is foreign.

A stand-in says on its output that it is one. Queries and removals of packages are the host's real
tools.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from kiln_local.machines.distros import Distro

_SOURCE = Path(__file__).with_name("standins")
_QUIET = (
    "journalctl",
    "hostnamectl",
    "timedatectl",
    "localectl",
    "chkconfig",
    "update-rc.d",
    "snap",
    "subscription-manager",
    "yum-config-manager",
    "amazon-linux-extras",
    "add-apt-repository",
    "cloud-init",
    "auditctl",
    "restorecon",
)
_DEB_ONLY = ("dpkg", "dpkg-query", "dpkg-deb", "apt", "apt-get", "apt-cache", "apt-key", "apt-mark")
_RPM_ONLY = ("rpm", "rpmbuild", "rpm2cpio", "rpmkeys", "rpmdb", "yum", "dnf", "microdnf")


def make_standins(place: Path, distro: Distro) -> None:
    """Write the layer for one platform."""
    bin_, sbin = place / "bin", place / "sbin"
    for folder in (bin_, sbin):
        folder.mkdir(parents=True)
    _copy("common", bin_)
    for name in _QUIET:
        _link(bin_ / name, "quiet")
    for name in ("reboot", "poweroff", "halt"):
        _link(bin_ / name, "shutdown")
    for name in ("shutdown", "service", "reboot", "poweroff", "halt"):
        # Where the host keeps a real one, it must not be found first.
        shutil.copy(bin_ / ("service" if name == "service" else "shutdown"), sbin / name)
    if distro.deb:
        _copy("deb", bin_)
        _link(bin_ / "apt", "apt-get")
    else:
        _copy("rpm", bin_)
        _link(bin_ / "yum", "dnf")
    foreign: tuple[str, ...] = _RPM_ONLY if distro.deb else _DEB_ONLY
    if distro.systemd:
        _copy("systemd", bin_)
    else:
        foreign = (*foreign, "systemctl", "journalctl", "hostnamectl", "timedatectl")
    for name in foreign:
        (bin_ / name).unlink(missing_ok=True)
        _hide(bin_ / name)


def _copy(kind: str, target: Path) -> None:
    for file in (_SOURCE / kind).iterdir():
        shutil.copy(file, target / file.name)
        (target / file.name).chmod(0o755)


def _link(path: Path, to: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def _hide(path: Path) -> None:
    # overlayfs.rst: a character device 0/0 is a whiteout; making one needs no privilege since
    # Linux 5.8.
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(0, 0))
