"""Rebuilds: what a blueprint may say of them."""

from __future__ import annotations

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.rebuild import Rebuild
from kiln.errors import InvalidBlueprint
from tests.builders import a_document


def test_a_blueprint_follows_its_base_and_has_no_schedule_unless_it_says_so() -> None:
    assert blueprint_from(a_document()).rebuild == Rebuild(schedule=None, on_base_change=True)


@pytest.mark.parametrize(
    ("key", "value"), [("second", "queue"), ("pause_after", 0), ("when", "never"), ("cron", "x")]
)
def test_what_rebuild_does_not_know_is_refused_and_named(key: str, value: object) -> None:
    with pytest.raises(InvalidBlueprint, match=rf"rebuild\.{key}"):
        blueprint_from(a_document(rebuild={key: value}))


@pytest.mark.parametrize(
    ("rebuild", "said"),
    [
        ({"schedule": "every night"}, "rebuild.schedule: 'every night' is none of rate"),
        ({"schedule": "cron(0 25 * * ? *)"}, "rebuild.schedule: hours: '25' is not in 0-23"),
        ({"schedule": "cron(0 ٣ * * ? *)"}, "rebuild.schedule: hours: '٣' is not in 0-23"),
        ({"schedule": "cron(0 2 * * *)"}, "rebuild.schedule: cron(0 2 * * *) has 5 fields, not 6"),
        ({"schedule": "at(2027-01-01T00:00:00)"}, "comes once; give cron(...) or rate(...)"),
        ({"schedule": "cron(0 0 30 2 ? *)"}, "is never due"),
        ({"schedule": "rate(9000000 days)"}, "is never due"),
        ({"schedule": f"rate({'9' * 60} days)"}, "longer than any calendar"),
        ({"schedule": f"rate({'9' * 5000} days)"}, "at most 256"),
        ({"time_zone": "Mars/Olympus"}, "rebuild.time_zone: 'Mars/Olympus' is no time zone"),
        ({"time_zone": "Europe"}, "rebuild.time_zone: 'Europe' is no time zone"),
        ({"time_zone": "localtime"}, "rebuild.time_zone: 'localtime' is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"time_zone": f"Europe/{'x' * 400}"}, "is no time zone"),
        ({"time_zone": "Eu\0rope"}, "is no time zone"),
    ],
)
def test_a_schedule_that_is_none_is_refused_in_one_line(rebuild: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        blueprint_from(a_document(rebuild=rebuild))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("schedule", ["cron(0 3 ? * MON *)", "rate(1 minutes)", "rate(7 days)"])
def test_a_schedule_is_kept_as_it_was_written(schedule: str) -> None:
    rebuild = {"schedule": schedule, "time_zone": "Europe/Berlin"}
    found = blueprint_from(a_document(rebuild=rebuild)).rebuild
    assert (found.schedule, found.time_zone) == (schedule, "Europe/Berlin")
