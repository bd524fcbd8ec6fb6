"""The clean-up matrix: what each platform and Chef version leaves behind, and what every instance
has of its own.

The rows are those of the archived OpsWorks guide's page on custom AMIs. CentOS 7 and Ubuntu on
Chef 11 are not on that page; they take the row of their nearest neighbour. Nor does it tell
Amazon Linux 2 from 1: it takes Amazon Linux's row, by systemctl instead of init scripts. The
documents carry these entries again, one a line, and a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

OPSWORKS_PATHS = (
    "/etc/aws/opsworks",
    "/opt/aws/opsworks",
    "/var/log/aws/opsworks",
    "/var/lib/aws/opsworks",
    "/etc/monit.d/opsworks-agent.monitrc",
    "/etc/monit/conf.d/opsworks-agent.monitrc",
    "/etc/chef",
)
# The page does not name these; deregistering an instance left them behind too.
OPSWORKS_LEFTOVERS = (
    "/etc/sudoers.d/opsworks*",
    "/etc/cron.d/opsworks-agent-updater",
    "/etc/logrotate.d/opsworks-agent",
    "/etc/ld.so.conf.d/opsworks-user-space.conf",
    "/etc/motd.opsworks-static",
)
CHEF12_PATH = "/var/chef"
CLIENT_PATH = "/opt/chef"
ANY_PATHS = ("/var/lib/cloud",)
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


def chef_versions(platform: str) -> tuple[str, ...]:
    """The Chef versions that OpsWorks ran on a platform, as far as Kiln cleans up after them."""
    found = (("11", _CHEF_11), ("12", _CHEF_12))
    return tuple(version for version, platforms in found if platform in platforms)


def cleanup_for(platform: str, chef: str | None) -> Cleanup:
    """The row of a platform and Chef version. KeyError for a pair that OpsWorks never had."""
    if chef is None:
        return Cleanup(paths=ANY_PATHS)
    if chef not in chef_versions(platform):
        raise KeyError(f"{platform} on Chef {chef}")
    by_systemd = platform == "amazon-linux-2" or (chef == "12" and platform in _SYSTEMD)
    timed = chef == "12" and platform in _APT_TIMERS
    return Cleanup(
        init=() if by_systemd else ("monit", "opsworks-agent"),
        systemd=_units(platform) if by_systemd else (),
        paths=(*OPSWORKS_PATHS, *OPSWORKS_LEFTOVERS, *_chef_paths(platform, chef), *ANY_PATHS),
        packages=PACKAGES,
        timers=TIMERS if timed else (),
        stamps=STAMPS if timed else (),
    )


def _units(platform: str) -> tuple[str, ...]:
    return ("monit", "opsworks-agent") if platform == "amazon-linux-2" else ("opsworks-agent",)


def _chef_paths(platform: str, chef: str) -> tuple[str, ...]:
    if chef == "11":
        return ()
    return (CHEF12_PATH,) if platform in _WITHOUT_CLIENT_PATH else (CHEF12_PATH, CLIENT_PATH)
