"""Services of an instance: which are there, which are enabled, what runs after a boot and what at
shutdown. The stand-in of systemctl works on the same files."""

from __future__ import annotations

import os
from pathlib import Path

from kiln_local.machines.distros import Distro

ACTIVE = "run/kiln-local/active"
_SYSTEM = "etc/systemd/system"
_OWN = ("etc/systemd/system", "run/systemd/system")
# What lies below these is the instance's own, so that a missing program is seen to be missing.
_PRIVATE = ("/opt/", "/srv/", "/etc/", "/var/", "/home/", "/root/")


def write_units(folder: Path, distro: Distro) -> None:
    """The base image's unit files, in the layer that lies over the host's own."""
    folder.mkdir(parents=True, exist_ok=True)
    for unit in (*distro.services, *distro.timers):
        wanted = "timers.target" if unit.endswith(".timer") else "multi-user.target"
        kind = "Timer" if unit.endswith(".timer") else "Service"
        text = f"[Unit]\nDescription={unit} of the local AWS\n[{kind}]\n"
        (folder / unit).write_text(f"{text}[Install]\nWantedBy={wanted}\n")


def enable_units(root: Path, distro: Distro) -> None:
    """A base image's services and timers are enabled: by links, as systemctl makes them."""
    if not distro.systemd:
        return
    for unit in (*distro.services, *distro.timers):
        wanted = "timers.target" if unit.endswith(".timer") else "multi-user.target"
        folder = root / _SYSTEM / f"{wanted}.wants"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")


def start_enabled(root: Path, usr: Path, distro: Distro) -> None:
    """After a boot everything runs that is enabled, not masked and there."""
    active = root / ACTIVE
    active.mkdir(parents=True, exist_ok=True)
    if distro.systemd:
        # sd_booted(3): how a program tells that systemd is the first process.
        (root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    for unit in _enabled(root, distro):
        file = _unit_file(root, usr, unit)
        if not (root / _SYSTEM / unit).is_symlink() and (file is None or _has_program(root, file)):
            (active / unit).touch()
            if unit in distro.timers:
                _stamp(root / "var/lib/systemd/timers" / f"stamp-{unit}")


def _enabled(root: Path, distro: Distro) -> list[str]:
    if distro.systemd:
        return sorted({link.name for link in (root / _SYSTEM).glob("*.wants/*")})
    links = (root / "etc" / distro.runlevel).glob("S*")
    return sorted({f"{link.name[3:]}.service" for link in links})


def _unit_file(root: Path, usr: Path, unit: str) -> Path | None:
    """A unit's file where it is the instance's own; None for one of the base image's layer."""
    places = [root / folder / unit for folder in _OWN]
    found = (file for file in (*places, usr / "lib/systemd/system" / unit) if file.is_file())
    return next(found, None)


def _has_program(root: Path, file: Path) -> bool:
    for command in settings(file, "ExecStart"):
        program = command.partition(" ")[0]
        if program.startswith(_PRIVATE) and not os.path.lexists(root / program.lstrip("/")):
            return False
    return True


def _stamp(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def last_commands(root: Path, distro: Distro) -> list[str]:
    """What asked to run at shutdown: ExecStop of active units that are not part of the base;
    without systemd, rc0.d."""
    if not distro.systemd:
        scripts = sorted((root / "etc/rc0.d").glob("S*"))
        return [f"/etc/rc0.d/{script.name} start" for script in scripts]
    commands: list[str] = []
    active = root / ACTIVE
    for unit in sorted(active.iterdir()) if active.is_dir() else ():
        file = next((root / f / unit.name for f in _OWN if (root / f / unit.name).is_file()), None)
        commands += settings(file, "ExecStop") if file else []
    return commands


def settings(file: Path, key: str) -> list[str]:
    """A key's values in a unit file, without the prefixes that systemd.service(5) allows."""
    lines = file.read_text(errors="replace").splitlines()
    return [line.partition("=")[2].lstrip("-@+!:") for line in lines if line.startswith(f"{key}=")]
