"""A sample of the fault matrix, each kind of fault at some place; `make faults` runs it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cases import case_of
from tests.faults.kinds import BY_NAME
from tests.faults.trials import Trials

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SURVIVED = (
    (
        "bake/bake.PlanBake/dynamodb:PutItem/crash-after",
        "bake/bake.LaunchBuilder/ec2:RunInstances/timed-out",
        "bake/bake.Customize/ssm:SendCommand/answer-lost",
        "bake/bake.CreateImage/ec2:CreateImage/throttled-for-a-minute",
        "bake/bake.PollImage/table/table-throttled",
        "bake/bake.Teardown/ec2:TerminateInstances/crash-before",
    ),
    (
        "bake/bake.LaunchBuilder/lambda:Invoke/function-doubled",
        "bake/bake.AwaitBuilder/ec2:DescribeInstances/internal-error",
        "bake/bake.CreateImage/lambda:Invoke/function-timed-out",
        "bake/bake.DistributeImage/lambda:Invoke/function-refused",
        "bake/bake.CopyImage/ec2:CopyImage/crash-after",
        "bake/wake/EC2 AMI State Change/lost",
    ),
    (
        "replace/rollout.AdvanceRollout/states:StartExecution/crash-after",
        "replace/instance.StartInstance/ec2:RunInstances/answer-lost",
        "replace/instance.EnterService/lambda:Invoke/function-crashed",
        "replace/configure.RunConfigure/ssm:SendCommand/throttled-once",
        "replace/add_to_layers/Image Available/doubled",
        "replace/wake/EC2 Command Invocation Status-change Notification/late",
    ),
)
FAILED = (
    "bake/bake.CreateImage/ec2:CreateImage/denied",
    "bake/bake.LaunchBuilder/ec2:RunInstances/no-capacity",
    "bake/bake.AwaitClean/state/stopped-from-outside",
    "bake/bake.AwaitClone/state/execution-timed-out",
    "bake/bake.AwaitPrepare/instance/terminated",
    "bake/bake.PollImage/image/image-failed",
    "replace/instance.AwaitSetup/instance/terminated",
)


@pytest.fixture(scope="module")
def ground() -> Iterator[Trials]:
    """One local AWS for all of them."""
    with Trials() as made:
        yield made


def test_each_kind_of_fault_is_in_the_sample() -> None:
    names = [*FAILED, *(name for together in SURVIVED for name in together)]
    assert {case_of(name).kind for name in names} == set(BY_NAME)


@pytest.mark.parametrize("names", SURVIVED, ids=[names[0] for names in SURVIVED])
def test_what_must_be_survived_is(ground: Trials, names: tuple[str, ...]) -> None:
    verdicts = ground.run([case_of(name) for name in names])
    assert [(v.case, v.outcome, v.why) for v in verdicts if v.outcome != "survived"] == []


@pytest.mark.parametrize("name", FAILED)
def test_what_fails_says_why_and_leaves_nothing(ground: Trials, name: str) -> None:
    (verdict,) = ground.run([case_of(name)])
    assert verdict.outcome == "failed", verdict
