"""What a first boot and any boot leave on an instance: the identity that is missing, and only that.

cloud-init would make new SSH host keys for a new instance even where old ones are left. The local
AWS does not: a clean-up that forgets them must be seen on the clone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln_local.machines.distros import Distro
from kiln_local.machines.leases import write_leases
from kiln_local.machines.sandbox import Place
from kiln_local.machines.trees import missing, write
from kiln_local.machines.units import start_enabled

_KEY_KINDS = ("rsa", "ecdsa", "ed25519")


@dataclass(frozen=True)
class Birth:
    """What EC2 knows of an instance. `chef` is "11" or "12" where OpsWorks made it."""

    instance_id: str
    platform: str
    architecture: str
    private_ip: str
    private_dns_name: str
    chef: str | None = None
    key_name: str | None = None
    user_data: bytes = b""


def boot(place: Place, birth: Birth, distro: Distro) -> None:
    """Everything that a boot writes. The instance is not running yet: this is plain file work."""
    root = place.root
    empty(root / "run")
    if distro.new_tmp:
        empty(root / "tmp")
    _machine_id(root, distro)
    missing(root / "etc/hostname", birth.private_dns_name.partition(".")[0] + "\n")
    _cloud_init(root, birth, distro)
    _host_keys(root)
    write_leases(root, birth.private_ip, distro)
    _agent(root, birth)
    missing(root / _seed(distro), secrets.token_hex(256), 0o600)
    _logs(root, birth, distro)
    start_enabled(root, place.usr, distro)


def save_random_seed(root: Path, distro: Distro) -> None:
    """A new seed is written at every shutdown, by systemd-random-seed.service or an init script."""
    write(root / _seed(distro), secrets.token_hex(256), 0o600)


def _seed(distro: Distro) -> str:
    if distro.systemd:
        return "var/lib/systemd/random-seed"
    return "var/lib/urandom/random-seed" if distro.deb else "var/lib/random-seed"


def _machine_id(root: Path, distro: Distro) -> None:
    """systemd's own, and the one of D-Bus: a link to it, but a file where there is no systemd."""
    missing(root / "etc/machine-id", uuid.uuid4().hex + "\n")
    bus = root / "var/lib/dbus/machine-id"
    if os.path.lexists(bus):
        return
    bus.parent.mkdir(parents=True, exist_ok=True)
    if distro.systemd:
        bus.symlink_to("/etc/machine-id")
    else:
        write(bus, uuid.uuid4().hex + "\n")


def empty(folder: Path) -> None:
    """Remove everything inside a folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _cloud_init(root: Path, birth: Birth, distro: Distro) -> None:
    cloud = root / "var/lib/cloud"
    if (cloud / "data/instance-id").exists() and (cloud / "instance").is_symlink():
        known = (cloud / "data/instance-id").read_text().strip()
        if known == birth.instance_id:
            return
        write(cloud / "data/previous-instance-id", known + "\n")
    folder = cloud / "instances" / birth.instance_id
    write(folder / "boot-finished", "done\n")
    (folder / "user-data.txt").write_bytes(birth.user_data)
    (cloud / "instance").unlink(missing_ok=True)
    (cloud / "instance").symlink_to(f"instances/{birth.instance_id}")
    # A value left by another machine is not overwritten, so that a forgotten clean-up shows.
    missing(cloud / "data/instance-id", birth.instance_id + "\n")
    sudo = f"# of {birth.instance_id}\n{distro.user} ALL=(ALL) NOPASSWD:ALL\n"
    missing(root / "etc/sudoers.d/90-cloud-init-users", sudo, 0o440)
    write(root / "var/log/cloud-init.log", f"cloud-init: first boot of {birth.instance_id}\n")
    write(root / "var/log/cloud-init-output.log", f"{birth.instance_id} is up\n")
    if birth.key_name:
        _authorize(root, birth.key_name, distro)


def _authorize(root: Path, key_name: str, distro: Distro) -> None:
    key = f"ssh-rsa {hashlib.sha256(key_name.encode()).hexdigest()} {key_name}\n"
    for home in (root / "root", root / "home" / distro.user):
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        with (home / ".ssh/authorized_keys").open("a") as keys:
            keys.write(key)


def _host_keys(root: Path) -> None:
    for kind in _KEY_KINDS:
        path = root / f"etc/ssh/ssh_host_{kind}_key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_key(path, kind)


def _make_key(path: Path, kind: str) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    # 1024 bits: no one will ever connect to this machine, and a longer key costs a second.
    makers: dict[str, Any] = {
        "rsa": lambda: rsa.generate_private_key(65537, 1024),
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    key = makers[kind]()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    path.write_bytes(private)
    path.chmod(0o600)
    path.with_suffix(".pub").write_bytes(public + b"\n")


def _agent(root: Path, birth: Birth) -> None:
    """What the SSM agent keeps of its registration."""
    ssm = root / "var/lib/amazon/ssm"
    registration = {"InstanceID": birth.instance_id, "key": secrets.token_hex(16)}
    text = "".join(f'"{k}": "{v}"\n' for k, v in registration.items())
    missing(ssm / "Vault/Store/RegistrationKey", text, 0o600)
    missing(ssm / "runtimeconfig/identity_config.json", text)
    (ssm / birth.instance_id / "document/orchestration").mkdir(parents=True, exist_ok=True)
    write(
        root / "var/log/amazon/ssm/amazon-ssm-agent.log", f"agent of {birth.instance_id} started\n"
    )


def _logs(root: Path, birth: Birth, distro: Distro) -> None:
    machine = (root / "etc/machine-id").read_text().strip()
    if distro.systemd:
        missing(
            root / f"var/log/journal/{machine}/system.journal", f"journal of {birth.instance_id}\n"
        )
    name = "syslog" if distro.deb else "messages"
    with (root / "var/log" / name).open("a") as log:
        log.write(f"{birth.private_dns_name} booted\n")
    missing(root / "var/log/wtmp", f"reboot {birth.instance_id}\n")
    missing(root / "var/log/btmp", "\n")
    missing(root / "var/log/lastlog", f"{birth.private_ip}\n")
    if distro.systemd and not distro.deb:
        missing(root / "var/lib/rsyslog/imjournal.state", f"s={uuid.uuid4().hex};i=1\n", 0o600)
