"""Makes the root file system of a base image: small, but true where Kiln and its users look."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kiln_local.machines.distros import Distro
from kiln_local.machines.packages import Package, build_rpms
from kiln_local.machines.sandbox import SKELETON, Place, Sandbox

_BASE_PACKAGES = ("openssh-server", "cloud-init", "amazon-ssm-agent", "curl")
# What dpkg's and others' links point to lives in /etc/alternatives; the rest is what useradd and
# rpm read.
_FROM_HOST = (
    "alternatives",
    "pam.d",
    "security",
    "login.defs",
    "ld.so.conf",
    "ld.so.conf.d",
    "ld.so.cache",
    "rpm",
    "default/useradd",
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nbG9jYWwgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
KEYRING = (
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbG9jYWwga2V5cmluZw==\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n"
)


def make_tree(place: Place, distro: Distro) -> None:
    """A base image's tree, before any boot: no identity in it."""
    for path in (place.usr, place.work, *(place.root / name for name in SKELETON)):
        path.mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (place.root / name).symlink_to(f"usr/{name}")
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
    (_dpkg_database if distro.deb else _rpm_database)(place, distro)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a text file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _copy_from_host(root: Path) -> None:
    for name in _FROM_HOST:
        source, target = Path("/etc") / name, root / "etc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copyfile(source, target)


def _texts(distro: Distro) -> dict[str, str]:
    user = distro.user
    texts = {
        "etc/os-release": f'NAME="{distro.pretty.split(" ", 1)[0]}"\nID={distro.id}\n'
        f'VERSION_ID="{distro.version}"\nPRETTY_NAME="{distro.pretty}"\n',
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
        "etc/localtime.note": "UTC\n",
        "etc/ssl/certs/ca-bundle.pem": CERTIFICATE,
        "etc/skel/.profile": "\n",
    }
    return texts | (_deb_texts() if distro.deb else _rpm_texts(distro))


def _deb_texts() -> dict[str, str]:
    return {
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
    }
    return texts | (
        {"etc/dnf/dnf.conf": "[main]\ngpgcheck=1\n"} if distro.version == "2023" else {}
    )


def _homes(root: Path, distro: Distro) -> None:
    home = root / "home" / distro.user
    home.mkdir(parents=True, exist_ok=True)
    write(home / ".bashrc", "# .bashrc\n")
    write(root / "root/.bashrc", "# .bashrc\n")
    if os.geteuid() == 0:
        for path in (home, home / ".bashrc"):
            os.chown(path, 1000, 1000)


def _dpkg_database(place: Place, distro: Distro) -> None:
    entries = [
        f"Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: admin\n"
        f"Maintainer: The local AWS <local@aws.invalid>\nArchitecture: all\nVersion: 1.0\n"
        "Description: a package of the base image\n"
        for name in (*_BASE_PACKAGES, "linux-image-aws")
        if not (distro.snap_agent and name == "amazon-ssm-agent")
    ]
    write(place.root / "var/lib/dpkg/status", "\n".join(entries))
    write(place.root / "var/lib/dpkg/available", "")
    for name in ("info", "updates", "triggers", "alternatives", "parts"):
        (place.root / "var/lib/dpkg" / name).mkdir(parents=True, exist_ok=True)
    for name in _BASE_PACKAGES:
        write(place.root / f"var/lib/dpkg/info/{name}.list", "/.\n")
    (place.root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)
    (place.root / "var/log/apt").mkdir(parents=True, exist_ok=True)


def _rpm_database(place: Place, distro: Distro) -> None:
    """A real database: the packages are built and installed by the real rpm."""
    release = {"2": "2", "2023": "2023.8.20250818", "2018.03": "2018.03"}.get(
        distro.version, distro.version
    )
    packages = (
        *(Package(name) for name in (*_BASE_PACKAGES, "kernel")),
        Package("system-release", release, "the release of the operating system"),
    )
    install_rpms(place, build_rpms(packages))


def install_rpms(place: Place, files: list[Path]) -> None:
    """Install packages with the real rpm, inside."""
    target = place.root / "tmp" / "kiln-packages"
    target.mkdir()
    for file in files:
        shutil.copy(file, target)
    names = [f"/tmp/kiln-packages/{file.name}" for file in files]
    _install(place, ["rpm", "-i", "--force-debian", "--nodeps", "--nosignature", *names])
    shutil.rmtree(target)


def install_debs(place: Place, files: list[Path]) -> None:
    """Install packages with the real dpkg, inside."""
    target = place.root / "tmp" / "kiln-packages"
    target.mkdir()
    for file in files:
        shutil.copy(file, target)
    _install(
        place, ["dpkg", "--force-unsafe-io", "-i", *(f"/tmp/kiln-packages/{f.name}" for f in files)]
    )
    shutil.rmtree(target)


def _install(place: Place, command: list[str]) -> None:
    sandbox = Sandbox(place)
    try:
        ended = sandbox.run(command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, 60)
    finally:
        sandbox.end()
    if ended.exit_code:
        raise RuntimeError(
            f"{command[0]} failed in a base image: {ended.stderr.decode(errors='replace')}"
        )
