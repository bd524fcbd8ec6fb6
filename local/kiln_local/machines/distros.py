"""What the local AWS's base images are like, platform by platform."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Distro:
    """One platform: names as /etc/os-release has them, its default user, its init and its DHCP
    client. `new_tmp` is whether /tmp is empty after every boot."""

    id: str
    version: str
    pretty: str
    user: str
    deb: bool = False
    systemd: bool = True
    leases: str = "dhclient"
    snap_agent: bool = False
    new_tmp: bool = False

    @property
    def agent_unit(self) -> str:
        """The SSM agent's unit."""
        agent = "amazon-ssm-agent"
        return f"snap.{agent}.{agent}.service" if self.snap_agent else f"{agent}.service"

    @property
    def services(self) -> tuple[str, ...]:
        """What runs after every boot of a base image."""
        own = ("ssh", "cron", "rsyslog") if self.deb else ("sshd", "crond", "rsyslog")
        network = {"NetworkManager": "NetworkManager", "networkd": "systemd-networkd"}
        units = (*own, network.get(self.leases, "dbus"), "cloud-init", "systemd-random-seed")
        return (*(f"{unit}.service" for unit in units), self.agent_unit)

    @property
    def timers(self) -> tuple[str, ...]:
        """The timers of a base image."""
        return ("apt-daily.timer", "apt-daily-upgrade.timer") if self.deb else ()

    @property
    def runlevel(self) -> str:
        """Where links to init scripts make them start, without systemd."""
        return "rc2.d" if self.deb else "rc3.d"

    @property
    def release(self) -> str:
        """The release with its minor number, as VERSION has it."""
        if self.id == "centos":
            return "7.9.2009"
        return f"{self.version}.2 LTS" if self.id == "ubuntu" else self.version

    @property
    def release_package(self) -> str:
        """The rpm whose version is the release."""
        return {"amzn": "system-release", "rhel": "redhat-release", "centos": "centos-release"}[
            self.id
        ]


def _amazon(version: str, leases: str, systemd: bool = True) -> Distro:
    pretty = f"Amazon Linux {'AMI ' if version == '2018.03' else ''}{version}"
    new_tmp = version == "2023"  # its /tmp is a tmpfs
    return Distro(
        "amzn", version, pretty, "ec2-user", systemd=systemd, leases=leases, new_tmp=new_tmp
    )


def _rhel(version: str, leases: str = "NetworkManager") -> Distro:
    return Distro("rhel", version, f"Red Hat Enterprise Linux {version}", "ec2-user", leases=leases)


def _ubuntu(version: str, name: str, leases: str = "networkd", old: bool = False) -> Distro:
    return Distro(
        "ubuntu",
        version,
        f"Ubuntu {version} LTS ({name})",
        "ubuntu",
        deb=True,
        systemd=not old,
        leases=leases,
        snap_agent=not old,
        new_tmp=True,
    )


def _debian(version: str, name: str) -> Distro:
    pretty = f"Debian GNU/Linux {version} ({name})"
    return Distro("debian", version, pretty, "admin", deb=True, leases="networkd", new_tmp=True)


DISTROS: dict[str, Distro] = {
    "amazon-linux-1": _amazon("2018.03", "dhclient", systemd=False),
    "amazon-linux-2": _amazon("2", "dhclient"),
    "amazon-linux-2023": _amazon("2023", "networkd"),
    "rhel-7": _rhel("7.9", "dhclient"),
    "rhel-8": _rhel("8.10"),
    "rhel-9": _rhel("9.6"),
    "rhel-10": _rhel("10.0"),
    "centos-7": Distro("centos", "7", "CentOS Linux 7 (Core)", "centos"),
    "ubuntu-14.04": _ubuntu("14.04", "Trusty Tahr", "dhclient", old=True),
    "ubuntu-16.04": _ubuntu("16.04", "Xenial Xerus", "dhclient"),
    "ubuntu-18.04": _ubuntu("18.04", "Bionic Beaver"),
    "ubuntu-20.04": _ubuntu("20.04", "Focal Fossa"),
    "ubuntu-22.04": _ubuntu("22.04", "Jammy Jellyfish"),
    "ubuntu-24.04": _ubuntu("24.04", "Noble Numbat"),
    "debian-12": _debian("12", "bookworm"),
    "debian-13": _debian("13", "trixie"),
}
