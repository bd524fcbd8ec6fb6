"""The clean-up matrix: what each platform and Chef version leaves behind, and what every instance
has of its own.

The rows are those of the archived OpsWorks guide's page on custom AMIs. CentOS 7 and Ubuntu on
Chef 11 are not on that page; they take the row of their nearest neighbour. Nor does it tell
Amazon Linux 2 from 1: it takes Amazon Linux's row, by systemctl instead of init scripts.

This is the one table: tools/cleanup.py writes it into the documents and docs/platforms.md.
"""

from __future__ import annotations

from dataclasses import dataclass

# What bears the agent's name goes from every image: a base may carry an agent that nobody told of.
AGENT_PATHS = (
    "/etc/aws/opsworks",
    "/opt/aws/opsworks",
    "/var/log/aws/opsworks",
    "/var/lib/aws/opsworks",
    "/etc/monit.d/opsworks-agent.monitrc",
    "/etc/monit/conf.d/opsworks-agent.monitrc",
    # The page does not name these; deregistering an instance left them behind too.
    "/etc/sudoers.d/opsworks*",
    "/etc/cron.d/opsworks-agent-updater",
    "/etc/logrotate.d/opsworks-agent",
    "/etc/ld.so.conf.d/opsworks-user-space.conf",
    "/etc/motd.opsworks-static",
)
# Users and groups of the agent, of the same names. Not on the page either; a new agent makes them.
ACCOUNTS = ("aws", "opsworks")
# Paths by set; a row has some of the sets. A user's own Chef is none of ours: only where OpsWorks
# was do the last three go.
PATHS = {
    "any": ("/var/lib/cloud",),
    "agent": AGENT_PATHS,
    "opsworks": ("/etc/chef", *(f"/home/{name}" for name in ACCOUNTS)),
    "chef12": ("/var/chef",),
    "client": ("/opt/chef",),
}
# Services by how a row stops them.
SERVICES = {
    "init": ("monit", "opsworks-agent"),
    "amazon2": ("monit",),
    "systemd": ("opsworks-agent",),
}
PACKAGES = ("opsworks-agent-ruby", "chef")
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
STAMPS = tuple(f"/var/lib/systemd/timers/stamp-{timer}" for timer in TIMERS)

# Identity that neither the page nor Image Builder strips whole.
IDENTITY = (
    "/etc/ssh/ssh_host_*_key",
    "/etc/ssh/ssh_host_*_key.pub",
    "/root/.ssh/authorized_keys",
    "/root/.ssh/authorized_keys2",
    "/home/*/.ssh/authorized_keys",
    "/home/*/.ssh/authorized_keys2",
    "/root/.*_history",
    "/home/*/.*_history",
    "/root/.local/share/fish/fish_history",
    "/home/*/.local/share/fish/fish_history",
    "/root/.lesshst",
    "/home/*/.lesshst",
    "/etc/sudoers.d/90-cloud-init-users",
    "/etc/hostname",
    "/etc/udev/rules.d/70-persistent-net.rules",
    "/var/lib/kiln",
)
# What a running system writes again: removed while it shuts down. /etc/machine-id and logs below
# /var/log are emptied. Of Image Builder's list the databases of aliases, the update stamps and
# /etc/locale.conf are left: they identify nothing, and a clone would miss its settings.
SEALED = (
    "/var/lib/dbus/machine-id",
    "/var/lib/dhclient/dhclient*",
    "/var/lib/dhcp/dhclient*",
    "/var/lib/dhcpcd/*",
    "/var/lib/NetworkManager/*.lease",
    "/var/lib/NetworkManager/*.state",
    "/var/lib/NetworkManager/secret_key",
    "/var/lib/NetworkManager/seen-bssids",
    "/var/lib/NetworkManager/timestamps",
    "/var/lib/systemd/network/*",
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/credential.secret",
    "/var/lib/random-seed",
    "/var/lib/urandom/random-seed",
    "/var/lib/rsyslog/imjournal.state",
    "/var/lib/amazon/ssm/*",
    "/var/snap/amazon-ssm-agent/*/*",
    "/var/log/amazon/ssm/*",
    "/var/log/sa/sa*",
    "/var/log/journal/*",
    "/tmp/*",
    "/tmp/.[!.]*",
    "/var/tmp/*",
    "/var/tmp/.[!.]*",
)
# An option of those lines of fstab(5) that mount an instance's own volumes; mount(8) ignores it.
FSTAB_OPTION = "comment=kiln"

_CHEF_11 = ("amazon-linux-1", "rhel-7", "ubuntu-14.04", "ubuntu-16.04", "ubuntu-18.04")
_CHEF_12 = (
    *("amazon-linux-1", "amazon-linux-2", "rhel-7", "centos-7"),
    *(
        "ubuntu-14.04",
        "ubuntu-16.04",
        "ubuntu-18.04",
        "ubuntu-20.04",
        "ubuntu-22.04",
        "ubuntu-24.04",
    ),
)
_WITHOUT_CLIENT_PATH = ("rhel-7", "centos-7")
_APT_TIMERS = ("ubuntu-16.04", "ubuntu-18.04")
_SYSTEMD = ("rhel-7", "centos-7", "ubuntu-16.04", "ubuntu-18.04")


@dataclass(frozen=True)
class Cleanup:
    """One row. `init` services are stopped by their init script, `systemd` ones by systemctl."""

    init: tuple[str, ...] = ()
    systemd: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


def chef_versions(platform: str) -> tuple[str, ...]:
    """The Chef versions that OpsWorks ran on a platform, as far as Kiln cleans up after them."""
    found = (("11", _CHEF_11), ("12", _CHEF_12))
    return tuple(version for version, platforms in found if platform in platforms)


def cleanup_for(platform: str, chef: str | None) -> Cleanup:
    """The row of a platform and Chef version. KeyError for a pair that OpsWorks never had."""
    if chef is not None and chef not in chef_versions(platform):
        raise KeyError(f"{platform} on Chef {chef}")
    paths = tuple(path for name in path_sets(platform, chef) for path in PATHS[name])
    if chef is None:
        return Cleanup(paths=paths)
    ways = service_sets(platform, chef)
    services = tuple(name for way in ways for name in SERVICES[way])
    timed = platform in _APT_TIMERS
    return Cleanup(
        init=services if ways == ("init",) else (),
        systemd=() if ways == ("init",) else services,
        paths=paths,
        packages=PACKAGES,
        timers=TIMERS if timed else (),
        stamps=STAMPS if timed else (),
        accounts=ACCOUNTS,
    )


def service_sets(platform: str, chef: str | None) -> tuple[str, ...]:
    """Which of `SERVICES` a row stops."""
    if chef is None:
        return ()
    if platform == "amazon-linux-2":
        return ("amazon2", "systemd")
    return ("systemd",) if chef == "12" and platform in _SYSTEMD else ("init",)


def path_sets(platform: str, chef: str | None) -> tuple[str, ...]:
    """Which of `PATHS` a row removes."""
    if chef is None:
        return ("any", "agent")
    if chef == "11":
        return ("any", "agent", "opsworks")
    client = () if platform in _WITHOUT_CLIENT_PATH else ("client",)
    return ("any", "agent", "opsworks", "chef12", *client)
