"""What the local AWS's base images are like, platform by platform."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Distro:
    """One platform: names as /etc/os-release has them, its default user, its init and its DHCP
    client."""

    id: str
    version: str
    pretty: str
    user: str
    deb: bool = False
    systemd: bool = True
    leases: str = "dhclient"
    snap_agent: bool = False

    @property
    def ssh_unit(self) -> str:
        """The SSH server's unit."""
        return "ssh" if self.deb else "sshd"


def _ubuntu(version: str, name: str, **more: object) -> Distro:
    return Distro("ubuntu", version, f"Ubuntu {version} LTS ({name})", "ubuntu", deb=True, **more)  # type: ignore[arg-type]


def _rhel(version: str) -> Distro:
    leases = "dhclient" if version == "7.9" else "NetworkManager"
    return Distro("rhel", version, f"Red Hat Enterprise Linux {version}", "ec2-user", leases=leases)


DISTROS: dict[str, Distro] = {
    "amazon-linux-1": Distro(
        "amzn", "2018.03", "Amazon Linux AMI 2018.03", "ec2-user", systemd=False
    ),
    "amazon-linux-2": Distro("amzn", "2", "Amazon Linux 2", "ec2-user"),
    "amazon-linux-2023": Distro("amzn", "2023", "Amazon Linux 2023", "ec2-user", leases="networkd"),
    "rhel-7": _rhel("7.9"),
    "rhel-8": _rhel("8.10"),
    "rhel-9": _rhel("9.6"),
    "rhel-10": _rhel("10.0"),
    "centos-7": Distro("centos", "7", "CentOS Linux 7 (Core)", "centos"),
    "ubuntu-14.04": _ubuntu("14.04", "Trusty Tahr", systemd=False),
    "ubuntu-16.04": _ubuntu("16.04", "Xenial Xerus", snap_agent=True),
    "ubuntu-18.04": _ubuntu("18.04", "Bionic Beaver", leases="networkd", snap_agent=True),
    "ubuntu-20.04": _ubuntu("20.04", "Focal Fossa", leases="networkd", snap_agent=True),
    "ubuntu-22.04": _ubuntu("22.04", "Jammy Jellyfish", leases="networkd", snap_agent=True),
    "ubuntu-24.04": _ubuntu("24.04", "Noble Numbat", leases="networkd", snap_agent=True),
    "debian-12": Distro(
        "debian", "12", "Debian GNU/Linux 12 (bookworm)", "admin", deb=True, leases="networkd"
    ),
    "debian-13": Distro(
        "debian", "13", "Debian GNU/Linux 13 (trixie)", "admin", deb=True, leases="networkd"
    ),
}
