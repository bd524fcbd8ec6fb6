"""What an instance's network leaves on it: the DHCP lease and the client's own state, where the
platform's client keeps them."""

from __future__ import annotations

import uuid
from pathlib import Path

from kiln_local.machines.distros import Distro
from kiln_local.machines.trees import missing, write

_LEASE = "dhclient--eth0.lease"


def write_leases(root: Path, private_ip: str, distro: Distro) -> None:
    """A lease, where there is none."""
    lease = f"lease {{ interface eth0; fixed-address {private_ip}; uuid {uuid.uuid4()}; }}\n"
    if distro.leases == "dhclient":
        missing(root / ("var/lib/dhcp" if distro.deb else "var/lib/dhclient") / _LEASE, lease)
    elif distro.leases == "NetworkManager":
        _network_manager(root, lease)
    else:
        _networkd(root, lease)
    if not distro.systemd:
        rule = f'SUBSYSTEM=="net", ATTR{{address}}=="{_mac(private_ip)}", NAME="eth0"\n'
        missing(root / "etc/udev/rules.d/70-persistent-net.rules", rule)


def _network_manager(root: Path, lease: str) -> None:
    folder = root / "var/lib/NetworkManager"
    if not list(folder.glob("internal-*-eth0.lease")):
        write(folder / f"internal-{uuid.uuid4()}-eth0.lease", lease)
    missing(folder / "secret_key", f"nm-v2:{uuid.uuid4().hex}", 0o600)
    missing(folder / "timestamps", f"[timestamps]\n{uuid.uuid4()}=1\n")
    missing(folder / "NetworkManager.state", "[main]\nNetworkingEnabled=true\n")


def _networkd(root: Path, lease: str) -> None:
    # networkd keeps its leases in /run; its DUID and state below /var/lib come with newer releases.
    write(root / "run/systemd/netif/leases/2", lease)
    missing(root / "var/lib/systemd/network/dhcp-duid", uuid.uuid4().hex + "\n")


def _mac(private_ip: str) -> str:
    """EC2 makes an interface's address of its IP address, as far as anybody here looks."""
    parts = [int(part) for part in private_ip.split(".") if part.isdigit()]
    return ":".join(f"{part & 255:02x}" for part in (2, 0, *parts, 0, 0, 0, 0)[:6])
