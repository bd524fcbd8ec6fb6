"""The verification: what must be kept, and what belongs to another machine."""

from __future__ import annotations

import pytest

from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Row, step_of
from tests.sandbox.traces import plant_own

ROW = Row("ubuntu-22.04")


def cloned(bakery: Bakery, row: Row = ROW) -> None:
    """A clone of an image as a bake without faults leaves it."""
    bakery.start(row, CLONE, bakery.cleaned(row, plant_own))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("rm /etc/apt/trusted.gpg", "lost: /etc/apt/trusted.gpg"),
        ("rm -r /etc/apt/trusted.gpg.d", "lost: /etc/apt/trusted.gpg.d/vendor.gpg"),
        ("rm /etc/ssl/private/web.key", "lost: /etc/ssl/private/web.key"),
        ("rm /etc/ssl/certs/two*", "lost: /etc/ssl/certs/two words \u00e9.pem"),
        ("echo | tee -a /etc/ssl/certs/two*", "changed: /etc/ssl/certs/two words \u00e9.pem"),
        (": >/etc/ssl/certs/web.pem", "changed: /etc/ssl/certs/web.pem"),
        ("echo x >>/etc/pki/rpm-gpg/RPM-GPG-KEY-vendor", "changed: /etc/pki/rpm-gpg/"),
        ("rm /etc/kiln-kept", "lost: /etc/kiln-kept"),
    ],
)
def test_a_lost_key_or_certificate_fails_the_image(bakery: Bakery, spoil: str, said: str) -> None:
    cloned(bakery)
    # As old as the image: a newer one would be the work of the clone's own boot.
    bakery.sh(
        CLONE, f"{spoil}; find /etc/ssl /etc/pki -exec touch -r /etc/kiln-builder-keys {{}} +"
    )
    run = bakery.verify_again(ROW).run
    assert run.status == "Failed"
    assert said in step_of(run, "kept").stdout


def test_a_certificate_that_the_blueprint_removes_is_not_lost(bakery: Bakery) -> None:
    row = Row("ubuntu-22.04", also_remove=("/etc/ssl/private",))
    cloned(bakery, row)
    assert bakery.verify_again(row).run.status == "Success"
    assert not (bakery.room.root(CLONE) / "etc/ssl/private").exists()


def test_a_certificate_that_the_clone_renews_at_boot_is_not_lost(bakery: Bakery) -> None:
    cloned(bakery)
    bakery.sh(CLONE, "echo renewed >/etc/ssl/certs/web.pem")
    assert bakery.verify_again(ROW).run.status == "Success"


@pytest.mark.parametrize(
    "trace",
    [
        f"/var/lib/cloud/instances/{BUILDER}",
        f"/var/lib/amazon/ssm/{BUILDER}",
        "/var/log/journal/0123456789abcdef0123456789abcdef",
    ],
)
def test_a_name_of_another_machine_is_found_whatever_its_age(bakery: Bakery, trace: str) -> None:
    cloned(bakery)
    bakery.sh(CLONE, f"mkdir -p {trace}")
    assert bakery.verify_again(ROW).leftovers == [trace]


def test_a_tmp_that_cannot_execute_is_said(bakery: Bakery) -> None:
    cloned(bakery)
    # Nothing can be mounted here; a kernel folder executes nothing either.
    bakery.sh(CLONE, "rm -rf /tmp; ln -s /proc /tmp")
    run = bakery.verify_again(ROW).run
    assert run.status == "Failed"
    assert step_of(run, "temporary").exit_code != 0


def test_the_agent_of_opsworks_does_not_run_on_a_clone(bakery: Bakery) -> None:
    row = Row("ubuntu-18.04", "12")
    unit = "/etc/systemd/system/opsworks-agent.service"
    wants = "/etc/systemd/system/multi-user.target.wants"
    cloned(bakery, row)
    bakery.sh(CLONE, f"mkdir -p {wants}; : >{unit}; ln -sf {unit} {wants}/")
    bakery.room.shut_down(CLONE)
    bakery.room.boot(CLONE)
    assert "service opsworks-agent, which runs" in bakery.verify_again(row).leftovers


def test_a_verification_leaves_nothing_behind_in_tmp(bakery: Bakery) -> None:
    cloned(bakery)
    for _ in range(2):
        assert bakery.verify_again(ROW).run.status == "Success"
    assert bakery.sh(CLONE, "ls -A /tmp") == ""
