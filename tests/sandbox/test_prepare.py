"""The preparation: whose machine it is, the manifest, the list of what is kept."""

from __future__ import annotations

import pytest

from kiln.domain.packages import parse_packages
from tests.sandbox.bakery import BUILDER, Bakery, Row, step_of


@pytest.mark.parametrize(("platform", "kind"), [("ubuntu-22.04", "deb"), ("rhel-9", "rpm")])
def test_the_manifest_names_every_installed_package_once_and_in_order(
    bakery: Bakery, platform: str, kind: str
) -> None:
    bakery.start(Row(platform))
    printed = step_of(bakery.prepare(Row(platform)), "packages").stdout
    *rows, end = printed.splitlines()
    assert rows == sorted(set(rows))
    assert end == f"end\t{len(rows)}"
    found = {package.name: package for package in parse_packages(printed)}
    assert {"openssh-server", "cloud-init", "curl"} <= found.keys()
    assert {package.kind.value for package in found.values()} == {kind}
    assert all(package.version and package.architecture for package in found.values())


def test_a_marker_of_an_earlier_bake_does_not_vouch_for_this_one(bakery: Bakery) -> None:
    row = Row("ubuntu-22.04")
    bakery.start(row)
    bakery.sh(BUILDER, "printf 'BAKE=old\\nSEALED=2020\\n' >/etc/kiln-release")
    bakery.prepare(row)
    bakery.make_image("image")
    verified = bakery.verify(row, "image")
    assert "the clean-up did not end" in verified.leftovers[0]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("amazon-linux-2", "amazon-linux-1"),
        ("amazon-linux-1", "amazon-linux-2"),
        ("rhel-8", "rhel-9"),
        ("centos-7", "rhel-7"),
        ("ubuntu-22.04", "ubuntu-24.04"),
        ("debian-13", "debian-12"),
    ],
)
def test_an_instance_of_another_platform_is_told_before_anything_changes(
    bakery: Bakery, named: str, found: str
) -> None:
    bakery.start(Row(found))
    before = bakery.sh(BUILDER, "find /etc -newer /etc/hostname")
    run = bakery.run(BUILDER, "prepare-linux", Platform=named, ReleaseLock="current")
    assert [(step.name, step.exit_code) for step in run.steps] == [("platform", 1)]
    assert run.steps[0].stderr == (
        f"platform: the blueprint says {named}, this instance is {found}\n"
    )
    assert bakery.sh(BUILDER, "find /etc -newer /etc/hostname") == before


@pytest.mark.parametrize(
    ("platform", "spoil", "said"),
    [
        ("amazon-linux-2", "rm -r /run/systemd", "runs systemd, this instance runs init"),
        ("amazon-linux-1", "mkdir -p /run/systemd/system", "runs init, this instance runs systemd"),
    ],
)
def test_amazon_linux_2_is_told_from_1_by_what_runs_there(
    bakery: Bakery, platform: str, spoil: str, said: str
) -> None:
    bakery.start(Row(platform))
    bakery.sh(BUILDER, spoil)
    run = bakery.prepare(Row(platform))
    assert run.status == "Failed"
    assert run.steps[-1].stderr == f"platform: {platform} {said}\n"
