"""The clean-up matrix: each documented row as the archived guide prints it, and the neighbours."""

from __future__ import annotations

import pytest

from kiln.domain.cleanup import (
    AGENT_PATHS,
    IDENTITY,
    SEALED,
    Cleanup,
    chef_versions,
    cleanup_for,
)

COMMON = {
    *("/etc/aws/opsworks", "/opt/aws/opsworks", "/var/log/aws/opsworks", "/var/lib/aws/opsworks"),
    *("/etc/monit.d/opsworks-agent.monitrc", "/etc/monit/conf.d/opsworks-agent.monitrc"),
    *("/var/lib/cloud", "/home/aws", "/home/opsworks"),
}
NOT_NAMED = {
    *("/etc/sudoers.d/opsworks*", "/etc/cron.d/opsworks-agent-updater"),
    *("/etc/logrotate.d/opsworks-agent", "/etc/ld.so.conf.d/opsworks-user-space.conf"),
    "/etc/motd.opsworks-static",
}
INIT = ("monit", "opsworks-agent")
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


@pytest.mark.parametrize(
    ("platform", "chef", "chef_paths", "by_systemd", "timers"),
    [
        ("amazon-linux-1", "11", {"/etc/chef"}, False, ()),
        ("rhel-7", "11", {"/etc/chef"}, False, ()),
        ("amazon-linux-1", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, False, ()),
        ("rhel-7", "12", {"/etc/chef", "/var/chef"}, True, ()),
        ("ubuntu-16.04", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, True, TIMERS),
        ("ubuntu-18.04", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, True, TIMERS),
        ("ubuntu-14.04", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, False, ()),
        ("ubuntu-20.04", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, False, ()),
        # Not on the page: each takes its neighbour's row.
        ("centos-7", "12", {"/etc/chef", "/var/chef"}, True, ()),
        ("amazon-linux-2", "12", {"/etc/chef", "/var/chef", "/opt/chef"}, True, ()),
        ("ubuntu-14.04", "11", {"/etc/chef"}, False, ()),
        ("ubuntu-16.04", "11", {"/etc/chef"}, False, TIMERS),
        ("ubuntu-18.04", "11", {"/etc/chef"}, False, TIMERS),
    ],
)
def test_a_row_is_the_guides(
    platform: str, chef: str, chef_paths: set[str], by_systemd: bool, timers: tuple[str, ...]
) -> None:
    row = cleanup_for(platform, chef)
    assert set(row.paths) == COMMON | NOT_NAMED | chef_paths
    # Amazon Linux 2 is Amazon Linux, where monit watches over the agent.
    units = INIT if platform == "amazon-linux-2" else ("opsworks-agent",)
    assert (row.init, row.systemd) == (((), units) if by_systemd else (INIT, ()))
    assert row.packages == ("opsworks-agent-ruby", "chef")
    assert row.timers == timers
    assert row.accounts == ("aws", "opsworks")
    assert row.stamps == tuple(f"/var/lib/systemd/timers/stamp-{timer}" for timer in timers)


@pytest.mark.parametrize("platform", ["amazon-linux-2023", "debian-12", "rhel-7"])
def test_an_instance_that_opsworks_did_not_make_loses_what_bears_its_agents_name_and_no_chef(
    platform: str,
) -> None:
    row = cleanup_for(platform, None)
    assert row == Cleanup(paths=("/var/lib/cloud", *AGENT_PATHS))
    assert all("opsworks" in path for path in AGENT_PATHS)


@pytest.mark.parametrize(
    ("platform", "chef"),
    [("amazon-linux-2", "11"), ("debian-12", "12"), ("rhel-9", "12"), ("rhel-7", "13")],
)
def test_a_pair_that_never_was_is_refused(platform: str, chef: str) -> None:
    assert chef not in chef_versions(platform)
    with pytest.raises(KeyError, match=f"{platform} on Chef {chef}"):
        cleanup_for(platform, chef)


def test_entries_are_absolute_and_stand_once() -> None:
    for entries in (IDENTITY, SEALED, cleanup_for("ubuntu-18.04", "12").paths):
        assert len(entries) == len(set(entries))
        assert all(entry.startswith("/") and entry.count("/") > 1 for entry in entries)
