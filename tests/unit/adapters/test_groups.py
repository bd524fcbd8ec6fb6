"""Auto Scaling and launch templates: what is asked of AWS, and what its answers mean."""

from __future__ import annotations

import pytest

from kiln.adapters.groups import AsgGroups
from kiln.adapters.templates import Ec2Templates
from kiln.domain.group import configuration
from kiln.domain.hooks import LifecycleAction
from kiln.domain.refreshing import RefreshOrder
from kiln.errors import AwsBusy, AwsRefused
from tests.stubs import scripted


def test_every_preference_is_handed_on_under_its_name() -> None:
    order = RefreshOrder(
        group="g",
        wanted=configuration("lt-1", "2", None),
        least_healthy=80,
        most_healthy=120,
        warmup_s=60,
        checkpoints=(10, 100),
        delay_s=600,
        skip_matching=False,
        protected="Ignore",
        standby="Terminate",
        alarms=("errors",),
        rolls_back=True,
        bake_s=300,
    )
    request = {
        "AutoScalingGroupName": "g",
        "Strategy": "Rolling",
        "DesiredConfiguration": {
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"},
        },
        "Preferences": {
            "MinHealthyPercentage": 80,
            "MaxHealthyPercentage": 120,
            "InstanceWarmup": 60,
            "CheckpointPercentages": [10, 100],
            "CheckpointDelay": 600,
            "SkipMatching": False,
            "AutoRollback": True,
            "ScaleInProtectedInstances": "Ignore",
            "StandbyInstances": "Terminate",
            "AlarmSpecification": {"Alarms": ["errors"]},
            "BakeTime": 300,
        },
    }
    with scripted("autoscaling") as asg, scripted("ec2") as ec2:
        asg.answer("start_instance_refresh", {"InstanceRefreshId": "r"}, request)
        groups = AsgGroups(asg.client, Ec2Templates(ec2.client))
        assert groups.start_refresh(order) == "r"


def test_what_is_refused_for_another_reason_is_raised() -> None:
    action = LifecycleAction(group="g", hook="h", token="t" * 36, instance="i-1")
    with scripted("autoscaling") as asg, scripted("ec2") as ec2:
        groups = AsgGroups(asg.client, Ec2Templates(ec2.client))
        asg.refuse("complete_lifecycle_action", "AccessDenied")
        with pytest.raises(AwsRefused):
            groups.complete(action, "CONTINUE")
        asg.refuse("rollback_instance_refresh", "LimitExceeded")
        with pytest.raises(AwsRefused):
            groups.roll_back("g")
        asg.refuse("rollback_instance_refresh", "ResourceContention", 500)
        with pytest.raises(AwsBusy):
            groups.roll_back("g")
        asg.refuse("delete_lifecycle_hook", "AccessDenied")
        with pytest.raises(AwsRefused):
            groups.delete_hook("g", "h")


def test_a_version_that_ec2_keeps_is_an_error() -> None:
    kept = {"VersionNumber": 2, "ResponseError": {"Code": "unexpectedError", "Message": "no"}}
    answer = {
        "SuccessfullyDeletedLaunchTemplateVersions": [],
        "UnsuccessfullyDeletedLaunchTemplateVersions": [kept],
    }
    with scripted("ec2") as ec2:
        ec2.answer("delete_launch_template_versions", answer)
        with pytest.raises(AwsRefused, match="unexpectedError: no"):
            Ec2Templates(ec2.client).delete("lt-1", 2)
        ec2.refuse("describe_launch_template_versions", "UnauthorizedOperation")
        with pytest.raises(AwsRefused):
            Ec2Templates(ec2.client).version("lt-1", "1")


def test_why_a_refresh_is_rolled_back_says_more_than_that_it_is() -> None:
    row = {
        "InstanceRefreshId": "r",
        "Status": "RollbackSuccessful",
        "StatusReason": "The rollback is complete.",
        "RollbackDetails": {"RollbackReason": "an alarm"},
    }
    with scripted("autoscaling") as asg, scripted("ec2") as ec2:
        asg.answer("describe_instance_refreshes", {"InstanceRefreshes": [row]})
        found = AsgGroups(asg.client, Ec2Templates(ec2.client)).refresh("g", "r")
        assert found
        assert (found.reason, found.template) == ("an alarm", "")
