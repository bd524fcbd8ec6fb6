"""SNS of the local AWS signs as SNS does, and publishers release images there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.signatures import X509Signatures
from kiln.domain.notice import notice_from
from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.latencies import Latencies
from kiln_local.notices import TOPICS as LOCAL_TOPICS
from kiln_local.notices import Notices
from kiln_local.releases import next_name
from kiln_local.template import read
from tests.notices import NOTICES, TOPICS, event
from tests.unit.local.test_template import ROOT


@pytest.fixture(scope="module")
def notices() -> Iterator[Notices]:
    """SNS of one local AWS; its key takes a while to make."""
    clock, latencies = SimClock(), Latencies()
    yield Notices(clock, latencies, AwsEvents(clock, latencies, "123456789012", "eu-west-1"))
    clock.end()


@pytest.mark.parametrize("name", NOTICES)
def test_what_it_signs_verifies_under_the_certificate_that_it_serves(
    notices: Notices, name: str
) -> None:
    record = event(name)["Records"][0]
    record["Sns"] = notices.sign(record["Sns"])
    notice = notice_from(record, TOPICS)
    status, certificate = notices.fetch(notice.certificate)
    now = notices._clock.now()
    checked = notice.sealed, notice.signed, notice.digest, now
    assert (status, X509Signatures().flaw(certificate, *checked)) == (200, None)
    assert notices.fetch(f"{notice.certificate}.old") == (404, b"")


def test_its_topics_are_those_that_the_template_subscribes_to() -> None:
    made = {f"arn:aws:sns:us-east-1:{account}:{name}" for name, account in LOCAL_TOPICS.items()}
    wanted = read(ROOT / "template.yaml")["Mappings"]["ReleaseTopics"]["aws"]
    assert made == set(wanted.values()) == set(TOPICS)


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("al2023-ami-2023.8.20250831.0-kernel-6.1-x86_64", "2023.8.20250901.0"),
        ("Windows_Server-2022-English-Full-Base-2025.12.31", "Base-2026.01.01"),
        ("no-date-in-it", "no-date-in-it-next"),
    ],
)
def test_a_release_is_of_the_next_day_by_its_name(name: str, after: str) -> None:
    assert after in next_name(name)
