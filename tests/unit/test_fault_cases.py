"""The fault matrix's cases: named once, valid faults, a reason for whatever may end a run, and no
pair left out of those that are run."""

from __future__ import annotations

from collections import Counter

import pytest

from kiln_local.faults import faults_from
from tests.faults.cases import Case, Occasion, case_of, cases, whole
from tests.faults.choosing import TOGETHER, chosen, pairs_of, runs
from tests.faults.ground import ROOT
from tests.faults.kinds import BY_NAME

SEEN = (
    Occasion("invocation", "lambda", "Invoke", "bake", "LaunchBuilder"),
    Occasion("call", "ec2", "DescribeInstances", "bake", "LaunchBuilder"),
    Occasion("call", "ec2", "RunInstances", "bake", "LaunchBuilder"),
    Occasion("call", "dynamodb", "PutItem", "bake", "AwaitBuilder"),
    Occasion("call", "ssm", "ListCommandInvocations", "bake", "AwaitProof"),
    Occasion("call", "ec2", "DescribeImages", "bake", "PollImage"),
    Occasion("event", "events", "EC2 AMI State Change", function="wake"),
    Occasion("invocation", "lambda", "Invoke", function="wake"),
    Occasion("call", "dynamodb", "Query", function="wake"),
)
CASES = cases("bake", SEEN)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_is_a_fault_that_the_local_aws_takes(case: Case) -> None:
    (fault,) = faults_from([case.fault], ROOT)
    assert str(fault)


def test_a_name_is_one_case_and_says_all_of_it() -> None:
    assert max(Counter(case.name for case in CASES).values()) == 1
    assert [case_of(case.name) for case in CASES] == CASES
    assert [case.fault for case in CASES] == [case_of(case.name).fault for case in CASES]


@pytest.mark.parametrize("name", ["bake/PlanBake/denied", "bake/bake.PlanBake/state/gone", ""])
def test_what_names_no_case_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no case"):
        case_of(name)


def test_every_kind_of_fault_comes_up() -> None:
    assert {case.kind for case in CASES} == set(BY_NAME)


def test_what_is_refused_or_ended_by_somebody_may_fail_and_nothing_else() -> None:
    may_fail = {case.kind for case in CASES if case.reasons}
    assert may_fail == {
        "denied",
        "no-capacity",
        "stopped-from-outside",
        "execution-timed-out",
        "terminated",
        "image-failed",
    }


def test_what_happens_on_several_grounds_goes_wrong_on_the_first() -> None:
    more = Occasion("call", "ec2", "DeregisterImage", "bake", "Teardown")
    every = whole({"bake": list(SEEN), "bake-spoiled": [*SEEN, more]})
    assert [case.place for case in every if case.ground == "bake-spoiled"]
    assert {case.place for case in every if case.ground == "bake-spoiled"} == {"bake.Teardown"}


def test_fewer_cases_have_every_pair() -> None:
    some = chosen(CASES)
    assert chosen(CASES) == some
    assert len(some) < len(CASES)
    pairs = {pair for case in some for pair in pairs_of(case)}
    assert pairs == {pair for case in CASES for pair in pairs_of(case)}


def test_only_what_must_be_survived_goes_wrong_together_each_at_another_place() -> None:
    together = runs(CASES)
    assert sorted(c.name for run in together for c in run) == sorted(c.name for c in CASES)
    assert max(len(run) for run in together) <= TOGETHER
    for run in (run for run in together if len(run) > 1):
        assert not any(case.reasons for case in run)
        assert len({case.place for case in run}) == len(run)
        assert len({case.ground for case in run}) == 1
