"""Small real packages, .deb and .rpm, for the instances' real package databases. Built once, then
cached."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kiln_local.machines.starting import run


@dataclass(frozen=True)
class Package:
    """A package: `files` maps an absolute path to its text."""

    name: str
    version: str = "1.0"
    summary: str = "a package of the local AWS"
    files: tuple[tuple[str, str], ...] = ()


def cache_home() -> Path:
    """Where built packages are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kiln" / "packages"


def build_debs(packages: tuple[Package, ...]) -> list[Path]:
    """A .deb for each package."""
    return [_cached((package,), "deb", _build_deb)[0] for package in packages]


def build_rpms(packages: tuple[Package, ...]) -> list[Path]:
    """An .rpm for each package, all from one run of rpmbuild."""
    return _cached(packages, "rpm", _build_rpm)


def _cached(packages: tuple[Package, ...], kind: str, build: object) -> list[Path]:
    key = hashlib.sha256(repr((kind, packages)).encode()).hexdigest()[:24]
    place = cache_home() / f"{kind}-{key}"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            build(packages, made)  # type: ignore[operator]
            try:
                made.rename(place)
            except OSError:
                # Somebody else has built the same meanwhile; theirs is as good.
                if not place.is_dir():
                    raise
    return sorted(place.glob(f"*.{kind}"))


def _build_deb(packages: tuple[Package, ...], target: Path) -> None:
    for package in packages:
        tree = target / "tree"
        _write_files(tree, package)
        control = tree / "DEBIAN" / "control"
        control.parent.mkdir(parents=True)
        control.write_text(
            f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\n"
            f"Maintainer: The local AWS <local@aws.invalid>\nDescription: {package.summary}\n"
        )
        output = target / f"{package.name}.deb"
        _run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(output)])
        shutil.rmtree(tree)


def _build_rpm(packages: tuple[Package, ...], target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        spec = Path(folder) / "kiln.spec"
        spec.write_text(_spec(packages, tree))
        command = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/top"]
        for package in packages:
            _write_files(tree, package)
        tree.mkdir(exist_ok=True)
        _run(
            [
                *command,
                "--define",
                f"_rpmdir {target}",
                "--define",
                "_rpmfilename %%{NAME}.rpm",
                str(spec),
            ]
        )


def _spec(packages: tuple[Package, ...], tree: Path) -> str:
    """A spec with a subpackage for each package and a main package without files, which is not
    built."""
    lines = [
        *("%global __os_install_post %{nil}", "%global _build_id_links none"),
        "%global _buildhost localhost",
        *("Name: kiln-local", "Version: 1", "Release: 1", "Summary: packages of the local AWS"),
        *("License: Apache-2.0", "BuildArch: noarch", "AutoReqProv: no"),
        *("%description", "Packages of the local AWS.", ""),
    ]
    for package in packages:
        lines += [f"%package -n {package.name}", f"Summary: {package.summary}"]
        lines += [f"Version: {package.version}", "AutoReqProv: no"]
        lines += [f"%description -n {package.name}", package.summary, ""]
    lines += ["%install", f"mkdir -p %{{buildroot}} && cp -a {tree}/. %{{buildroot}}/", ""]
    for package in packages:
        lines += [f"%files -n {package.name}", *(path for path, _ in package.files), ""]
    return "\n".join(lines) + "\n"


def _write_files(tree: Path, package: Package) -> None:
    tree.mkdir(parents=True, exist_ok=True)
    for path, text in package.files:
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755 if text.startswith("#!") else 0o644)


class PackagesFailed(Exception):
    """A package could not be built or installed; the text says why and what is missing."""


def _run(command: list[str]) -> None:
    tool = command[0]
    if shutil.which(tool) is None:
        package = "rpm" if tool == "rpmbuild" else "dpkg"
        raise PackagesFailed(f"{tool} is not on this machine: install the package {package}")
    done = run(command)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise PackagesFailed(f"{tool} failed: {said.decode(errors='replace')}")
