"""The fault matrix's cases: named once, valid faults, and a reason for whatever may end a bake."""

from __future__ import annotations

from collections import Counter

import pytest

from kiln_local.faults import faults_from
from tests.faults.cases import Case, Occasion, cases
from tests.faults.trials import ROOT

SEEN = (
    Occasion("invocation", "lambda", "Invoke", "LaunchBuilder"),
    Occasion("call", "ec2", "DescribeInstances", "LaunchBuilder"),
    Occasion("call", "ec2", "RunInstances", "LaunchBuilder"),
    Occasion("call", "dynamodb", "PutItem", "AwaitBuilder"),
    Occasion("call", "ssm", "ListCommandInvocations", "AwaitProof"),
)
CASES = list(cases(SEEN))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_is_a_fault_that_the_local_aws_takes(case: Case) -> None:
    (fault,) = faults_from([case.fault], ROOT)
    assert str(fault)


def test_a_name_is_one_case_and_the_same_each_time() -> None:
    assert max(Counter(case.name for case in CASES).values()) == 1
    assert list(cases(SEEN)) == CASES


def test_what_is_refused_or_ended_by_somebody_may_fail_and_nothing_else() -> None:
    may_fail = {case.name.rpartition("/")[2] for case in CASES if case.reasons}
    assert may_fail == {
        "denied",
        "no-capacity",
        "stopped-from-outside",
        "timed-out",
        "terminated",
        "image-failed",
    }
