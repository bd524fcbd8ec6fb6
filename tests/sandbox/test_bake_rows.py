"""Every row of the clean-up matrix, and instances of today: from a builder to a clone of its
image."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiln.domain.cleanup import Cleanup, chef_versions, cleanup_for
from kiln.domain.identity import shared_facts
from kiln.domain.platforms import PLATFORMS, Family, family
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, facts_of
from tests.sandbox.traces import OWN, plant, plant_own

pytestmark = pytest.mark.long

# Every platform, with every Chef version that OpsWorks ran on it and without one.
ROWS = [
    Row(platform, chef)
    for platform, found in PLATFORMS.items()
    if found.family is not Family.WINDOWS
    for chef in ("none", *chef_versions(platform))
]


def names(row: Row) -> str:
    return f"{row.platform}-{row.chef}"


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_a_clone_has_nothing_of_the_builder_and_all_that_is_not_the_builders(
    bakery: Bakery, row: Row
) -> None:
    bakery.start(row)
    if family(row.platform) is Family.RPM:
        # There sh is bash, on Debian and Ubuntu it is dash.
        bakery.sh(BUILDER, "ln -sf bash /usr/bin/sh")
    root, table = bakery.room.root(BUILDER), cleanup_for(row.platform, row.known_chef)
    plant(root, table)
    plant_own(root)
    with (root / "etc/hosts").open("a") as hosts:
        hosts.write("10.9.9.9 mine.example\n")
    before = installed(bakery, BUILDER)
    prepared = bakery.prepare(row)
    assert prepared.status == "Success", prepared
    builder = facts_of(prepared)
    assert ("opsworks_identity" in builder) == (row.chef != "none")
    assert {"machine_id", "hostname", "ssh_host_rsa_key", "ssm_registration"} <= builder.keys()

    cleaned = bakery.clean(row)
    assert cleaned.status == "Success", cleaned
    assert [step.name for step in cleaned.steps] == [
        *("services", "paths", "packages", "accounts", "timers", "identity", "seal"),
    ]
    bakery.make_image("image")
    verified = bakery.verify(row, "image")

    assert verified.leftovers == []
    assert verified.run.status == "Success", verified.run
    assert shared_facts(builder, verified.facts) == []
    assert {"machine_id", "hostname", "ssh_host_rsa_key", "ssm_registration"} <= set(verified.facts)
    check_what_is_gone(bakery, table)
    check_what_survives(bakery, before - set(table.packages))


def installed(bakery: Bakery, instance: str) -> set[str]:
    query = "dpkg-query -W -f '${Package}\\n' 2>/dev/null || rpm -qa --queryformat '%{NAME}\\n'"
    return set(bakery.sh(instance, query).split())


def check_what_is_gone(bakery: Bakery, table: Cleanup) -> None:
    """On the clone's own files, whatever the verification says."""
    clone = bakery.room.root(CLONE)
    again = ("/var/lib/cloud",)  # the clone's own boot makes it anew
    for pattern in table.paths:
        assert pattern in again or list(clone.glob(pattern.lstrip("/"))) == [], pattern
    for name in table.stamps:
        # The timer's first run on the clone makes a new one.
        path = clone / name.lstrip("/")
        assert not path.exists() or path.stat().st_size == 0, name
    accounts = (clone / "etc/passwd").read_text() + (clone / "etc/group").read_text()
    for name in table.accounts:
        assert f"\n{name}:" not in accounts
    for service in (*table.init, *table.systemd):
        assert not (clone / f"run/kiln-local/active/{service}.service").exists()
    assert 'RUNNING=""' in (clone / "etc/kiln-release").read_text()
    assert not list((clone / "etc").glob("rc0.d/*kiln*"))
    assert (clone / "var/log/web.log").read_text() == ""
    assert not (clone / "var/log/web.log-20260101").exists()
    assert "OpsWorks" not in (clone / "etc/hosts").read_text()


def check_what_survives(bakery: Bakery, packages: set[str]) -> None:
    clone = bakery.room.root(CLONE)
    assert {name: (clone / name).read_text() for name in OWN} == OWN
    assert (clone / "etc/hosts").read_text().split() == [
        *("127.0.0.1", "localhost"),
        *hosts_of(clone),
        *("10.9.9.9", "mine.example"),
    ]
    assert installed(bakery, CLONE) == packages


def hosts_of(clone: Path) -> list[str]:
    """The line for localhost that stood among the agent's."""
    line = "127.0.0.1 localhost.localdomain localhost"
    return line.split() if line in (clone / "etc/hosts").read_text() else []


@pytest.mark.parametrize("row", [Row("ubuntu-18.04", "12"), Row("rhel-7", "11")], ids=names)
def test_packages_of_opsworks_leave_the_real_database_and_no_others_do(
    bakery: Bakery, row: Row
) -> None:
    bakery.start(row)
    before = installed(bakery, BUILDER)
    bakery.clean(row)
    assert before - installed(bakery, BUILDER) == {"chef", "opsworks-agent-ruby"}


@pytest.mark.parametrize(
    "made", [Row("amazon-linux-1", "11"), Row("ubuntu-18.04", "12"), Row("rhel-7", "12")], ids=names
)
def test_an_agent_that_the_blueprint_does_not_tell_of_goes_too(bakery: Bakery, made: Row) -> None:
    """A base may carry an agent of OpsWorks though nobody says so."""
    bakery.start(made)
    told = Row(made.platform)
    assert bakery.prepare(told).status == "Success"
    cleaned = bakery.clean(told)
    assert cleaned.status == "Success", cleaned
    said = cleaned.steps[0].stdout
    assert f"found an agent of OpsWorks with Chef {made.chef}; it goes" in said
    bakery.make_image("image")
    verified = bakery.verify(told, "image")
    assert (verified.leftovers, verified.run.status) == ([], "Success")
    check_what_is_gone_of(bakery, made)


def check_what_is_gone_of(bakery: Bakery, made: Row) -> None:
    clone = bakery.room.root(CLONE)
    row = cleanup_for(made.platform, made.chef)
    for path in row.paths:
        assert path == "/var/lib/cloud" or list(clone.glob(path.lstrip("/"))) == [], path
    assert installed(bakery, CLONE).isdisjoint(row.packages)
    assert f'CHEF="{made.chef}"' in (clone / "etc/kiln-release").read_text()
