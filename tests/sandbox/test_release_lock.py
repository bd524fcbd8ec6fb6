"""The release lock: what it leaves on a builder, that it moves there, that a clone proves it."""

from __future__ import annotations

import pytest

from kiln.domain.identity import parse_facts
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, step_of

pytestmark = pytest.mark.long

CLOUD = "/etc/cloud/cloud.cfg.d/99-kiln-release-lock.cfg"
DNF, APT = "/etc/dnf/vars/releasever", "/etc/apt/apt.conf.d/99kiln-release-lock"
HELD = "dpkg --get-selections | grep curl | tr -s '\\t' ' '"
VAULT = "grep -o '^baseurl=[^$]*' /etc/yum.repos.d/CentOS-Base.repo"
BASE = {
    "amazon-linux-1": "2018.03",
    "amazon-linux-2": "2-1",
    "amazon-linux-2023": "2023.8.20250818",
    "rhel-7": "7.9",
    "rhel-9": "9.6",
    "centos-7": "7.9.2009",
    "ubuntu-18.04": "18.04.2",
    "ubuntu-24.04": "24.04.2",
    "debian-12": "12.5",
}
# Platform, lock, the release that the image then has, and a command that shows the lock.
LOCKED = [
    ("amazon-linux-1", "current", "2018.03", ("grep -c releasever /etc/yum.conf", "0")),
    (
        *("amazon-linux-1", "2018.03", "2018.03"),
        ("grep releasever /etc/yum.conf", "releasever=2018.03"),
    ),
    ("amazon-linux-2", "current", "2-1", ("ls /etc/yum/pluginconf.d", "versionlock.list")),
    ("amazon-linux-2023", "current", BASE["amazon-linux-2023"], (f"ls {DNF} 2>/dev/null", "")),
    ("amazon-linux-2023", "2023.9.20251110", "2023.9.20251110", (f"cat {DNF}", "2023.9.20251110")),
    ("rhel-7", "current", "7.9", ("cat /etc/yum/vars/releasever", "7.9")),
    ("rhel-9", "9.6", "9.6", (f"cat {DNF}", "9.6")),
    ("rhel-9", "9.7", "9.7", (f"cat {DNF}", "9.7")),
    ("centos-7", "current", "7.9.2009", (VAULT, "baseurl=http://vault.centos.org/7.9.2009/os/")),
    (
        *("ubuntu-24.04", "20250901T000000Z", "24.04.2"),
        (f"cat {APT}", 'APT::Snapshot "20250901T000000Z";'),
    ),
    ("ubuntu-18.04", "current", "18.04.2", (HELD, "curl hold")),
    ("debian-12", "current", "12.5", (HELD, "curl hold")),
]


@pytest.mark.parametrize(("platform", "lock", "release", "show"), LOCKED)
def test_a_lock_holds_on_the_builder_and_on_its_clone(
    bakery: Bakery, platform: str, lock: str, release: str, show: tuple[str, str]
) -> None:
    row, (shown, said) = Row(platform), show
    bakery.start(row)
    bakery.sh(BUILDER, f"mkdir -p /etc/dnf/vars; echo latest >{DNF}" if "2023" in platform else "")
    for _ in range(2):
        prepared = bakery.prepare(row, lock)
        assert prepared.status == "Success", prepared.steps[-1]
        assert parse_facts(step_of(prepared, "lock").stdout)["release"] == release
    assert bakery.sh(BUILDER, shown).strip() == said
    assert bakery.clean(row).status == "Success"
    bakery.make_image("locked")
    verified = bakery.verify(row, "locked")
    assert verified.run.status == "Success", verified.run.steps[-1]
    assert "release lock: " in step_of(verified.run, "lock").stdout
    assert bakery.sh(CLONE, shown).strip() == said
    amazon = platform.startswith("amazon")
    assert bakery.sh(CLONE, f"tail -n 1 {CLOUD}").strip() == (
        "repo_upgrade: none" if amazon else "package_upgrade: false"
    )
    if row.platform.startswith(("ubuntu", "debian")):
        assert bakery.sh(CLONE, "apt-config dump APT::Periodic::Enable").strip().endswith('"0";')
        assert bakery.sh(CLONE, "systemctl is-enabled apt-daily.timer").strip() == "disabled"


@pytest.mark.parametrize("platform", BASE)
def test_without_a_lock_nothing_changes_and_the_release_is_told(
    bakery: Bakery, platform: str
) -> None:
    bakery.start(Row(platform))
    before = bakery.sh(BUILDER, "cat /etc/yum.conf /etc/yum.repos.d/* 2>/dev/null")
    said = step_of(bakery.prepare(Row(platform)), "lock").stdout
    assert parse_facts(said) == {"release": BASE[platform]}
    assert bakery.sh(BUILDER, "cat /etc/yum.conf /etc/yum.repos.d/* 2>/dev/null") == before
    assert bakery.sh(BUILDER, f"ls {CLOUD} {DNF} {APT} /etc/kiln-lock 2>/dev/null") == ""


@pytest.mark.parametrize(
    ("platform", "lock", "said"),
    [
        ("amazon-linux-1", "2017.09", "already at 2018.03 and cannot go back to 2017.09"),
        ("amazon-linux-2", "2.0", "has no releases to lock to; use current or none"),
        ("amazon-linux-2023", "2023.7.20250331", "cannot go back to 2023.7.20250331"),
        ("amazon-linux-2023", "2023.9.20251111", "have no release 2023.9.20251111; nothing was"),
        ("rhel-9", "9.4", "already at 9.6 and cannot go back to 9.4; take a base of that release"),
        ("rhel-9", "9.9", "the repositories of rhel-9 have no release 9.9; nothing was changed"),
        ("ubuntu-24.04", "20200101T000000Z", "have no release 20200101T000000Z"),
        ("ubuntu-22.04", "20250901T000000Z", "cannot be locked to 20250901T000000Z; use current"),
    ],
)
def test_a_release_that_cannot_be_had_is_refused_before_anything_changes(
    bakery: Bakery, platform: str, lock: str, said: str
) -> None:
    bakery.start(Row(platform))
    show = "cat /etc/yum.conf /etc/os-release; find /etc -newer /etc/hostname"
    before = bakery.sh(BUILDER, show)
    refused = bakery.prepare(Row(platform), lock)
    assert [step.name for step in refused.steps] == ["platform", "lock"]
    (line,) = [s for s in refused.steps[-1].stderr.splitlines() if s.startswith("release lock: ")]
    assert said in line
    assert bakery.sh(BUILDER, show) == before


def test_amazon_linux_1_is_locked_in_the_main_section_alone(bakery: Bakery) -> None:
    bakery.start(Row("amazon-linux-1"))
    bakery.sh(BUILDER, "printf '[mine]\\nname=mine\\n' >>/etc/yum.conf")
    assert bakery.prepare(Row("amazon-linux-1"), "2018.03").status == "Success"
    assert bakery.sh(BUILDER, "cat /etc/yum.conf").split() == [
        *("[main]", "releasever=2018.03", "gpgcheck=1", "[mine]", "name=mine"),
    ]


def test_a_registered_red_hat_sets_its_subscription(bakery: Bakery) -> None:
    bakery.start(Row("rhel-8"))
    bakery.sh(BUILDER, "mkdir -p /etc/pki/consumer; echo x >/etc/pki/consumer/cert.pem")
    assert bakery.prepare(Row("rhel-8"), "current").status == "Success"
    assert bakery.sh(BUILDER, "subscription-manager release").strip() == "Release: 8.10"
    assert bakery.sh(BUILDER, f"ls {DNF} 2>/dev/null") == ""


def test_what_the_clean_up_removes_is_not_held(bakery: Bakery) -> None:
    for row, show in (
        (Row("amazon-linux-2", "12"), "cat /etc/yum/pluginconf.d/versionlock.list"),
        (Row("ubuntu-16.04", "12"), "dpkg --get-selections | grep hold"),
    ):
        bakery.start(row)
        assert bakery.prepare(row, "current").status == "Success"
        held = bakery.sh(BUILDER, show)
        assert "curl" in held
        assert "chef" not in held
        assert "opsworks" not in held
        bakery.stop(BUILDER)


@pytest.mark.parametrize(
    ("platform", "lock", "spoil", "said"),
    [
        ("amazon-linux-1", "current", "sed -i 's/^gpg.*/releasever=latest/' /etc/yum.conf",
         "releasever is latest, not 2018.03"),
        ("amazon-linux-2023", "current", f"mkdir -p /etc/dnf/vars; echo latest >{DNF}",
         "releasever is latest"),
        ("amazon-linux-2", "current", "sed -i 1d /etc/yum/pluginconf.d/v*", "number of held"),
        ("rhel-9", "9.6", f"rm {DNF}", "releasever is not there, not 9.6"),
        ("ubuntu-24.04", "20250901T000000Z", f"rm {APT}", "APT::Snapshot is not there"),
        ("ubuntu-22.04", "current", "echo curl install | dpkg --set-selections", "number of held"),
        ("centos-7", "current", "sed -i s/^#m/m/ /etc/yum.repos.d/*.repo", "has a mirror list"),
        ("debian-13", "current", f"rm {CLOUD}", "cloud-init installs updates at boot"),
    ],
)  # fmt: skip
def test_a_lock_that_is_lost_fails_the_image(
    bakery: Bakery, platform: str, lock: str, spoil: str, said: str
) -> None:
    row = Row(platform)
    bakery.start(row)
    assert bakery.prepare(row, lock).status == "Success"
    bakery.clean(row)
    bakery.sh(BUILDER, spoil)
    bakery.make_image("locked")
    run = bakery.verify(row, "locked").run
    assert run.status == "Failed"
    assert said in step_of(run, "lock").stdout
