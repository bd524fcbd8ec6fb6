"""The package database of a base image: a real one, of dpkg or of rpm."""

from __future__ import annotations

import shutil
from pathlib import Path

from kiln_local.machines.distros import Distro
from kiln_local.machines.packages import Package, PackagesFailed, build_rpms
from kiln_local.machines.sandbox import Place, Sandbox
from kiln_local.machines.working import Limit

_BASE = ("openssh-server", "cloud-init", "amazon-ssm-agent", "curl")
_RELEASES = {"2023": "2023.8.20250818"}


def make_database(place: Place, distro: Distro) -> None:
    """Register the packages of a base image."""
    if distro.deb:
        _dpkg_database(place.root, distro)
    else:
        _rpm_database(place, distro)


def _dpkg_database(root: Path, distro: Distro) -> None:
    names = [
        n for n in (*_BASE, "linux-image-aws", "apt") if not distro.snap_agent or "ssm" not in n
    ]
    entries = [
        f"Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: admin\n"
        f"Maintainer: The local AWS <local@aws.invalid>\nArchitecture: all\n"
        f"Version: {'2.7.14' if name == 'apt' else '1.0'}\n"
        "Description: a package of the base image\n"
        for name in names
    ]
    database = root / "var/lib/dpkg"
    folders = [database / n for n in ("info", "updates", "triggers", "alternatives", "parts")]
    for folder in (*folders, root / "var/cache/apt/archives/partial", root / "var/log/apt"):
        folder.mkdir(parents=True, exist_ok=True)
    (database / "status").write_text("\n".join(entries))
    (database / "available").touch()
    for name in names:
        (database / f"info/{name}.list").write_text("/.\n")


def _rpm_database(place: Place, distro: Distro) -> None:
    """The packages are built and installed by the real rpm."""
    release = _RELEASES.get(distro.version, distro.version)
    what = "the release of the operating system"
    packages = (
        *(Package(name) for name in (*_BASE, "kernel")),
        Package(distro.release_package, release, what),
    )
    install(place, build_rpms(packages))


def install(place: Place, files: list[Path]) -> None:
    """Install packages, .deb or .rpm, by the real tool on an instance that does not run."""
    target = place.root / "tmp" / "kiln-packages"
    target.mkdir()
    for file in files:
        shutil.copy(file, target)
    names = [f"/tmp/kiln-packages/{file.name}" for file in files]
    tool = (
        ["dpkg", "--force-unsafe-io", "-i"]
        if files[0].suffix == ".deb"
        else ["rpm", "-U", "--replacepkgs", "--nodeps", "--nosignature"]
    )
    sandbox = Sandbox(place)
    try:
        ended = sandbox.run(
            [*tool, *names], {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, Limit.of(60, 1)
        )
    finally:
        sandbox.end()
        shutil.rmtree(target)
    if ended.exit_code:
        said = ended.stderr.decode(errors="replace").strip()
        raise PackagesFailed(f"{tool[0]} failed in a base image: {said}")
