"""What becomes of the images of one blueprint in one Region."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.prices import gigabytes, monthly_usd
from kiln.domain.pruning import Standing, Verdict, decide
from kiln.domain.retention import STEPS, Rule, Step
from kiln.domain.uses import Use
from tests.builders import NOW

RUNS = Use(kind="instance", name="i-1", image="ami-00000001", detail="stopped")


def an_age(days: float, **more: Any) -> Standing:
    """An image that is so old."""
    name = f"ami-{int(days * 100):08d}"
    facts: dict[str, Any] = {
        "image": name,
        "here": name,
        "region": "eu-west-1",
        "blueprint": "web",
        "version": 1,
        "bake": "web-20261123-101500-9f3a",
        "name": name,
        "created": NOW - timedelta(days=days),
        "state": "available",
        "status": "available",
    }
    return Standing(**(facts | more))


def judged(*standings: Standing, **rules: dict[str, Any]) -> list[Verdict]:
    """Verdicts, the newest image first."""
    known: dict[Step, Rule] = {step: Rule(**rules[step]) for step in STEPS if step in rules}
    return list(reversed(decide(standings, known, NOW)))


def actions(*standings: Standing, **rules: dict[str, Any]) -> list[str]:
    return [verdict.action for verdict in judged(*standings, **rules)]


AGES = {"deprecate": {"after": "30d"}, "disable": {"after": "60d"}, "delete": {"after": "90d"}}


def test_an_image_goes_the_way_of_its_rules_step_by_step() -> None:
    ages = [an_age(days) for days in (1, 29, 30, 60, 90)]
    assert actions(*ages, **AGES) == ["none", "none", "deprecate", "disable", "delete"]


def test_both_halves_of_a_rule_must_hold() -> None:
    ages = [an_age(days) for days in (0, 100, 101, 102)]
    rule = {"keep_last": 2, "after": "101d"}
    assert actions(*ages, delete=rule) == ["none", "none", "delete", "delete"]
    young = [an_age(days) for days in (0, 1, 2, 3)]
    assert actions(*young, delete=rule) == ["none"] * 4


def test_why_says_how_many_are_newer_and_how_old_it_is() -> None:
    (verdict,) = judged(an_age(0), an_age(95), delete={"keep_last": 1, "after": "90d"})[1:]
    assert verdict.why == ("1 newer images, keep_last is 1", "95 days old, after is 90d")


def test_the_newest_good_image_is_never_touched() -> None:
    assert actions(an_age(500), **AGES) == ["none"]
    (verdict,) = judged(an_age(500), **AGES)
    assert verdict.kept_by == ("is the newest of its blueprint here",)


def test_a_half_distributed_image_counts_for_nothing_and_the_one_before_stays() -> None:
    half = an_age(1, status="incomplete")
    assert actions(half, an_age(100), an_age(101), delete={"after": "90d"}) == [
        *("none", "none", "delete")
    ]
    assert actions(half, an_age(100), an_age(101), delete={"keep_last": 1}) == [
        *("none", "none", "delete")
    ]


def test_an_image_of_which_something_is_missing_goes_too_once_a_good_one_came() -> None:
    assert actions(an_age(0), an_age(100, status="incomplete"), **AGES) == ["none", "delete"]


@pytest.mark.parametrize("days", [60, 90])
def test_what_is_in_use_is_neither_disabled_nor_deleted_but_may_be_deprecated(days: int) -> None:
    (_, verdict) = judged(an_age(0), an_age(days, uses=(RUNS,)), **AGES)
    assert verdict.action == "deprecate"
    assert verdict.kept_by == ("instance i-1 (stopped)",)
    assert verdict.wanted == ("delete" if days == 90 else "disable")
    (_, without) = judged(an_age(0), an_age(days, uses=(RUNS,)), delete={"after": "60d"})
    assert without.action == "none"


def test_a_launch_by_another_account_protects_as_long_as_the_rule_is() -> None:
    lately = {"shared": True, "launched": NOW - timedelta(days=70)}
    assert actions(an_age(0), an_age(200, **lately), delete={"after": "71d"}) == ["none", "none"]
    assert actions(an_age(0), an_age(200, **lately), delete={"after": "69d"}) == ["none", "delete"]
    # It may have been long enough for the one step and not for the other.
    assert actions(an_age(0), an_age(200, **lately), **AGES) == ["none", "disable"]
    own = {"shared": False, "launched": NOW}
    assert actions(an_age(0), an_age(200, **own), delete={"after": "90d"}) == ["none", "delete"]


def test_where_a_rule_names_no_age_a_launch_by_another_account_protects_for_a_month() -> None:
    for days, expected in ((29, "none"), (31, "delete")):
        lately = {"shared": True, "launched": NOW - timedelta(days=days)}
        assert actions(an_age(0), an_age(99, **lately), delete={"keep_last": 1})[1] == expected


def test_an_image_that_is_disabled_already_is_not_disabled_again() -> None:
    disabled = an_age(70, state="disabled", status="disabled")
    assert actions(an_age(0), disabled, **AGES) == ["none", "none"]
    assert actions(an_age(0), an_age(70, state="disabled"), **AGES) == ["none", "none"]


def test_what_kiln_has_disabled_and_is_in_use_is_enabled_again() -> None:
    for status in ("disabled", "deleting"):
        image = an_age(100, state="disabled", status=status, uses=(RUNS,))
        (_, verdict) = judged(an_age(0), image, **AGES)
        assert (verdict.action, verdict.why) == ("enable", ("instance i-1 (stopped)",))


def test_what_somebody_else_has_disabled_is_not_enabled() -> None:
    image = an_age(100, state="disabled", uses=(RUNS,))
    assert actions(an_age(0), image, **AGES) == ["none", "none"]


def test_a_deletion_that_broke_off_is_finished_and_what_others_deleted_is_left() -> None:
    broken = an_age(5, state="gone", status="deleting")
    assert actions(an_age(0), broken, **AGES) == ["none", "finish"]
    assert actions(an_age(0), an_age(100, state="gone"), **AGES) == ["none", "none"]


def test_a_deprecation_is_never_put_off() -> None:
    past = an_age(40, deprecated_at=NOW - timedelta(days=1))
    future = an_age(41, deprecated_at=NOW + timedelta(days=50))
    assert actions(an_age(0), past, future, **AGES) == ["none", "none", "deprecate"]


@pytest.mark.parametrize("state", ["pending", "failed", "transient", "error"])
def test_what_is_not_there_yet_is_left_alone(state: str) -> None:
    assert actions(an_age(0), an_age(100, state=state), **AGES) == ["none", "none"]


def test_what_is_being_distributed_or_is_protected_stays() -> None:
    pending = an_age(100, status="pending")
    (_, verdict) = judged(an_age(0), pending, **AGES)
    assert (verdict.action, verdict.kept_by) == ("none", ("is being distributed",))
    protected = an_age(100, protected=True)
    assert actions(an_age(0), protected, delete={"after": "90d"}) == ["none", "none"]
    assert actions(an_age(0), protected, **AGES) == ["none", "disable"]


ages = st.integers(0, 400)
states = st.sampled_from(["available", "available", "available", "disabled", "pending", "gone"])
statuses = st.sampled_from(
    ["available", "deprecated", "disabled", "deleting", "incomplete", "pending"]
)
standings = st.lists(
    st.tuples(ages, states, statuses, st.booleans()), max_size=8, unique_by=lambda row: row[0]
)


@given(rows=standings, keep=st.integers(1, 5), after=st.integers(1, 300))
def test_no_rule_reaches_what_it_must_not(
    rows: list[tuple[int, str, str, bool]], keep: int, after: int
) -> None:
    """Whatever the images: none in use, none too young, none among the newest, never the last."""
    images = [
        an_age(days, state=state, status=status, uses=(RUNS,) if used else ())
        for days, state, status, used in rows
    ]
    rule = {"keep_last": keep, "after": f"{after}d"}
    found = judged(*images, disable=rule, delete=rule)
    going = [v.standing for v in found if v.action in ("disable", "delete")]
    good = [
        s
        for s in (verdict.standing for verdict in found)
        if s.state in ("available", "disabled")
        and s.status in ("available", "deprecated", "disabled")
    ]
    for standing in going:
        assert not standing.uses
        assert standing.state in ("available", "disabled")
        assert NOW - standing.created >= timedelta(days=after)
        assert sum(other.created > standing.created for other in good) >= keep
    left = [s for s in good if s.state == "available" and s not in going]
    assert left or not [s for s in good if s.state == "available"]


def test_a_price_is_told_where_it_is_known_and_nowhere_else() -> None:
    gib = 2**30
    assert monthly_usd("us-east-1", 8 * gib) == pytest.approx(0.4)
    assert monthly_usd("us-east-1", 8 * gib, 10 * gib) == pytest.approx(0.63)
    assert monthly_usd("eu-west-1", 8 * gib, gib) is None
    assert monthly_usd("mx-central-1", gib) is None
    assert monthly_usd("mx-central-1", 0) == 0
    assert gigabytes(gib * 3 // 2) == 1.5
