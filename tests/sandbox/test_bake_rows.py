"""Every row of the clean-up matrix, and instances of today: from a builder to a clone of its
image."""

from __future__ import annotations

import pytest

from kiln.domain.cleanup import cleanup_for
from kiln.domain.identity import shared_facts
from kiln.domain.platforms import Family, family
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, facts_of
from tests.sandbox.traces import OWN, plant, plant_own

ROWS = [
    Row("amazon-linux-1", "11"),
    Row("rhel-7", "11"),
    Row("ubuntu-14.04", "11"),
    Row("amazon-linux-1", "12"),
    Row("amazon-linux-2", "12"),
    Row("rhel-7", "12"),
    Row("centos-7", "12"),
    Row("ubuntu-16.04", "12"),
    Row("ubuntu-18.04", "12"),
    Row("ubuntu-14.04", "12"),
    Row("ubuntu-20.04", "12"),
    Row("amazon-linux-2023"),
    Row("ubuntu-22.04"),
    Row("ubuntu-24.04"),
    Row("rhel-9"),
    Row("debian-12"),
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
    root = bakery.room.root(BUILDER)
    plant(root, cleanup_for(row.platform, None if row.chef == "none" else row.chef))
    plant_own(root)
    prepared = bakery.prepare(row)
    assert prepared.status == "Success", prepared
    builder = facts_of(prepared)
    assert ("opsworks_identity" in builder) == (row.chef != "none")
    assert {"machine_id", "hostname", "ssh_host_rsa_key", "ssm_registration"} <= builder.keys()

    cleaned = bakery.clean(row)
    assert cleaned.status == "Success", cleaned
    assert [step.name for step in cleaned.steps] == [
        *("services", "paths", "packages", "timers", "identity", "seal"),
    ]
    bakery.make_image("image")
    verified = bakery.verify(row, "image")

    assert verified.leftovers == []
    assert verified.run.status == "Success", verified.run
    assert shared_facts(builder, verified.facts) == []
    assert {"machine_id", "hostname", "ssh_host_rsa_key", "ssm_registration"} <= set(verified.facts)
    clone = bakery.room.root(CLONE)
    assert {name: (clone / name).read_text() for name in OWN} == OWN
    assert 'RUNNING=""' in (clone / "etc/kiln-release").read_text()
    assert not list((clone / "etc").glob("rc0.d/*kiln*"))
    assert (clone / "var/log/web.log").read_text() == ""
    assert not (clone / "var/log/web.log-20260101").exists()


@pytest.mark.parametrize("row", [Row("ubuntu-18.04", "12"), Row("rhel-7", "11")], ids=names)
def test_packages_of_opsworks_leave_the_real_database_and_no_others_do(
    bakery: Bakery, row: Row
) -> None:
    bakery.start(row)
    query = "dpkg-query -W -f '${Package}\\n' 2>/dev/null || rpm -qa --queryformat '%{NAME}\\n'"
    before = set(bakery.sh(BUILDER, query).split())
    bakery.clean(row)
    assert before - set(bakery.sh(BUILDER, query).split()) == {"chef", "opsworks-agent-ruby"}
