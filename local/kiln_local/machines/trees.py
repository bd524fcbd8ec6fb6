"""Makes the root file system of a base image: small, but true where Kiln and its users look."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kiln_local.machines.databases import make_database
from kiln_local.machines.distros import Distro
from kiln_local.machines.sandbox import Place, in_user_namespace, make_skeleton
from kiln_local.machines.units import enable_units

# What links in /usr point to, and what useradd and other tools of the host's read.
_FROM_HOST = (
    *(f"alternatives/{name}" for name in ("awk", "nawk", "which", "pager", "editor", "vi", "rmt")),
    "pam.d",
    "security",
    "login.defs",
    "ld.so.conf",
    "ld.so.conf.d",
    "ld.so.cache",
    "default/useradd",
    "ssl/openssl.cnf",
)
# Debian's rpm says at every change that it should not be used; the instance is no Debian.
_QUIET_RPM = (
    "rpm alias -e --erase --force-debian\n"
    "rpm alias -U --upgrade --force-debian\n"
    "rpm alias -F --freshen --force-debian\n"
)
_CENTOS_REPOSITORY = (
    "[base]\nname=CentOS-$releasever - Base\n"
    "mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os\n"
    "#baseurl=http://mirror.centos.org/centos/$releasever/os/$basearch/\ngpgcheck=1\n"
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nbG9jYWwgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
KEYRING = (
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbG9jYWwga2V5cmluZw==\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n"
)


def make_tree(place: Place, distro: Distro, runs: bool) -> None:
    """A base image's tree, before any boot: no identity in it. `runs` is whether programs can be
    run in it, which the package database of some platforms needs."""
    make_skeleton(place)
    (place.root / "tmp").chmod(0o1777)
    (place.root / "root").chmod(0o700)
    _copy_from_host(place.root)
    for name, text in _texts(distro).items():
        write(place.root / name, text)
    (place.root / "etc/shadow").chmod(0o640)
    (place.root / "etc/sudoers").chmod(0o440)
    _homes(place.root, distro)
    for folder in (
        "var/tmp",
        "var/log",
        "var/lib/systemd",
        "var/spool/cron",
        "var/cache",
        "etc/ssh",
    ):
        (place.root / folder).mkdir(parents=True, exist_ok=True)
    (place.root / "var/tmp").chmod(0o1777)
    (place.root / "var/run").symlink_to("../run")
    enable_units(place.root, distro)
    if runs or distro.deb:
        make_database(place, distro)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a text file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def missing(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file that is missing or empty (an empty machine-id means: make one)."""
    if not path.exists() or path.stat().st_size == 0:
        write(path, text, mode)


def _copy_from_host(root: Path) -> None:
    for name in _FROM_HOST:
        source, target = Path("/etc") / name, root / "etc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=_unreadable)
        elif source.is_file() and os.access(source, os.R_OK):
            shutil.copyfile(source, target)


def _unreadable(folder: str, names: list[str]) -> list[str]:
    """What a normal user cannot read of the host's /etc."""
    paths = {name: Path(folder) / name for name in names}
    return [n for n, p in paths.items() if not p.is_symlink() and not os.access(p, os.R_OK)]


def _texts(distro: Distro) -> dict[str, str]:
    user = distro.user
    texts = {
        "etc/os-release": f'NAME="{distro.pretty.split(" ", 1)[0]}"\nID={distro.id}\n'
        f'VERSION="{distro.release}"\nVERSION_ID="{distro.version}"\nPRETTY_NAME="{distro.pretty}"\n',
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
        f"{user}:x:1000:1000::/home/{user}:/bin/bash\n",
        "etc/group": f"root:x:0:\nadm:x:4:\ntty:x:5:\nnogroup:x:65534:\n{user}:x:1000:\n",
        "etc/shadow": f"root:*:19000:0:99999:7:::\n{user}:!:19000:0:99999:7:::\n",
        "etc/gshadow": "root:*::\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
        "etc/hosts": "127.0.0.1 localhost\n",
        "etc/fstab": "LABEL=root / ext4 defaults 1 1\n",
        "etc/sudoers": "root ALL=(ALL) ALL\n#includedir /etc/sudoers.d\n",
        "etc/ssh/sshd_config": "PasswordAuthentication no\n",
        "etc/shells": "/bin/sh\n/bin/bash\n",
        "etc/profile": "export PATH\n",
        "etc/ssl/certs/ca-bundle.pem": CERTIFICATE,
        "etc/skel/.profile": "\n",
    }
    return texts | (_deb_texts(distro) if distro.deb else _rpm_texts(distro))


def _deb_texts(distro: Distro) -> dict[str, str]:
    return {
        "etc/debian_version": f"{distro.version}.5\n" if distro.id == "debian" else "trixie/sid\n",
        "etc/apt/sources.list": "deb http://archive.invalid/ stable main\n",
        "etc/apt/trusted.gpg.d/archive.gpg": KEYRING,
        "etc/apt/keyrings/vendor.asc": KEYRING,
        "etc/ssl/certs/ca-certificates.crt": CERTIFICATE,
    }


def _rpm_texts(distro: Distro) -> dict[str, str]:
    texts = {
        "etc/pki/rpm-gpg/RPM-GPG-KEY-local": KEYRING,
        "etc/pki/tls/certs/ca-bundle.crt": CERTIFICATE,
        "etc/yum.conf": "[main]\ngpgcheck=1\n"
        + ("releasever=latest\n" if distro.version == "2018.03" else ""),
        "etc/cloud/cloud.cfg": "repo_upgrade: security\n",
        # Debian's rpm keeps its database in a home directory unless it is told otherwise.
        "etc/rpm/macros": "%_dbpath /var/lib/rpm\n",
    }
    if distro.id == "centos":
        texts["etc/centos-release"] = f"CentOS Linux release {distro.release} (Core)\n"
        texts["etc/yum.repos.d/CentOS-Base.repo"] = _CENTOS_REPOSITORY
    if Path("/etc/debian_version").exists():
        texts["etc/popt"] = _QUIET_RPM
    return texts | (
        {"etc/dnf/dnf.conf": "[main]\ngpgcheck=1\n"} if distro.version == "2023" else {}
    )


def _homes(root: Path, distro: Distro) -> None:
    home = root / "home" / distro.user
    home.mkdir(parents=True, exist_ok=True)
    write(home / ".bashrc", "# .bashrc\n")
    write(root / "root/.bashrc", "# .bashrc\n")
    if not in_user_namespace():
        for path in (home, home / ".bashrc"):
            os.chown(path, 1000, 1000)
