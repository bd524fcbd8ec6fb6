"""Bases that change: what fails, what goes back, who is believed, and many at once."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import BakeStatus
from kiln.errors import InvalidRequest
from kiln.ports import ExecutionFacts
from kiln.steps.follow_bases import BasesFollowed
from tests.builders import NOW, a_document, a_plan, a_record, an_image
from tests.fakes import FakeWorld
from tests.notices import event, signed
from tests.unit.steps.following import (
    AL2023,
    NEW,
    OLD,
    UBUNTU,
    WINDOWS,
    a_world,
    blueprint,
    followed,
    made,
    three,
)

# ------------------------------------------------------------ failures, and releases that go back


def ended(fake: FakeWorld, bake: str, status: str = "FAILED") -> None:
    """A bake that was started has ended."""
    fake.machines.over.add(bake)
    fake.machines.ended[bake] = ExecutionFacts(status)
    fake.clock.move(3600)


def test_a_failed_bake_is_tried_again_by_the_check_alone() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    image = made(fake, "web", OLD)
    (first,) = followed(fake, "amazon_linux").started
    ended(fake, first)
    assert followed(fake, "amazon_linux").started == ()
    (second,) = followed(fake).started
    assert second != first
    follow = fake.follows.last("web", NEW)
    assert follow is not None
    assert (follow.attempt, follow.after, follow.bake) == (2, image, second)
    assert followed(fake).started == ()


def test_an_execution_that_is_forgotten_was_one_all_the_same() -> None:
    """Step Functions keeps executions for 90 days after their end."""
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD)
    (bake,) = followed(fake).started
    plan = a_plan(a_document(name="web"), bake=bake, base=an_image(id=NEW))
    fake.records.add_bake(a_record(plan, status=BakeStatus.FAILED, ended=NOW))
    fake.machines.started.clear()
    assert followed(fake, "amazon_linux").started == ()
    assert followed(fake).started != (bake,)


def test_a_release_that_is_taken_back_and_comes_again_is_baked_each_time() -> None:
    fake = a_world(al2023=NEW)
    blueprint(fake, "web", {"parameter": AL2023})
    made(fake, "web", OLD, 1)
    for number, base in enumerate((NEW, OLD, NEW, OLD), 2):
        fake.parameters.values[AL2023] = base
        (bake,) = followed(fake, "amazon_linux").started
        ended(fake, bake, "SUCCEEDED")
        made(fake, "web", base, number)
        assert followed(fake, "amazon_linux").started == ()
    assert len(fake.machines.started) == 4


# ------------------------------------------------------------ who is believed


@pytest.mark.parametrize(
    ("name", "said"),
    [("forged", "does not verify"), ("unexpected_topic", "666666666666")],
)
def test_a_notice_that_is_not_snss_starts_nothing_and_the_reason_is_logged(
    name: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    fake = a_world(al2023=NEW)
    three(fake)
    forged = event(name) if name == "forged" else signed(event(name), fake.signatures.sign)
    result = followed(fake, forged)
    assert said in result.refused[0]
    assert said in caplog.text
    assert fake.machines.started == {}


def test_a_word_changed_after_it_was_signed_is_noticed() -> None:
    fake = a_world(al2023=NEW)
    three(fake)
    for key in ("Message", "MessageId", "Subject", "Timestamp"):
        changed = signed(event("windows"), fake.signatures.sign)
        changed["Records"][0]["Sns"][key] += "!"
        assert followed(fake, changed).refused == ("its signature does not verify",)


def test_a_certificate_that_is_not_there_is_none_and_that_of_another_topic_is_never_fetched() -> (
    None
):
    fake = a_world(al2023=NEW)
    three(fake)
    address = event("windows")["Records"][0]["Sns"]["SigningCertUrl"]
    fake.certificates.known[address] = None
    assert "no certificate at" in followed(fake, "windows").refused[0]
    fake.certificates.asked.clear()
    followed(fake, signed(event("unexpected_topic"), fake.signatures.sign))
    assert fake.certificates.asked == []


def test_a_true_notice_among_false_ones_is_heard() -> None:
    fake = a_world(al2023=NEW)
    three(fake)
    mixed = signed(event("windows"), fake.signatures.sign)
    mixed["Records"] = [*event("forged")["Records"], *mixed["Records"]]
    result = followed(fake, mixed)
    assert (len(result.started), len(result.refused)) == (2, 1)


@pytest.mark.parametrize("given", [{}, {"source": "kiln"}, {"source": "aws.ec2"}, {"Records": []}])
def test_an_event_of_no_kind_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="neither a notice"):
        followed(a_world(), given)


# ------------------------------------------------------------ many


class Counting:
    """A port that counts what it is asked."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.calls: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            return found(*given, **named)

        return counted


def test_five_hundred_blueprints_ask_for_each_base_once_and_for_two_things_each() -> None:
    fake = a_world()
    fake.images.add(an_image(id=OLD, name="ubuntu-noble-1"), "099720109477")
    bases: tuple[dict[str, Any], ...] = (
        {"parameter": AL2023}, {"parameter": WINDOWS}, {"lookup": UBUNTU}
    )  # fmt: skip
    for number in range(500):
        blueprint(fake, f"b{number}", bases[number % 3])
        made(fake, f"b{number}", OLD)
    images, parameters, records, versions = (
        Counting(port) for port in (fake.images, fake.parameters, fake.records, fake.versions)
    )
    fake.images, fake.parameters, fake.records = images, parameters, records  # type: ignore[assignment]
    fake.versions = versions  # type: ignore[assignment]
    assert followed(fake) == BasesFollowed()
    assert images.calls == {"newest": 1}
    assert parameters.calls == {"read_all": 1}
    assert records.calls == {"images": 500}
    assert versions.calls == {"names": 1, "get": 500}
