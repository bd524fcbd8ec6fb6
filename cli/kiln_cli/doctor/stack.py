"""Kiln's own stack: is it there, is it whole, is it of this version?

Statuses: CloudFormation User Guide, "Stack status codes".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Deployment

CHECK = "stack"
# What commands read; an older template lacks some of it.
NEEDED = (
    *("BakeStateMachineArn", "RolloutStateMachineArn", "InstanceStateMachineArn"),
    *("ConfigureStateMachineArn", "DistributionStateMachineArn", "AlarmTopicArn"),
    *("SweepFunctionName", "DeadLettersUrl", "PromoteImageFunctionName"),
    *("PruneImagesFunctionName", "TableName", "BucketName", "BusName", "ScheduleGroupName"),
    *("ScheduleRoleArn", "DeadLettersArn", "Version", "InstanceProfileName"),
    *("BuilderSecurityGroupId", "FollowBasesFunctionArn"),
)
_WHOLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def look(cloudformation: Any, name: str) -> tuple[Deployment | None, Finding]:
    """The deployment, None where nothing that could be asked is there. Raises AwsRefused for what
    AWS does not tell, AwsBusy."""
    try:
        with translated("cloudformation", "DescribeStacks"):
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except AwsRefused as error:
        # CloudFormation has no code of its own for it.
        if error.code == "ValidationError" and "does not exist" in error.message:
            what = f"stack {name} is not deployed here"
            return None, Finding(CHECK, name, "broken", what, "make deploy")
        raise
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}
    given = {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())}
    finding = _status(name, stack["StackStatus"])
    if "BakeStateMachineArn" not in outputs:
        what = f"stack {name} is {stack['StackStatus']} and has no output BakeStateMachineArn"
        mend = f"aws cloudformation describe-stack-events --stack-name {name}"
        return None, Finding(CHECK, name, "broken", what, mend)
    return Deployment(name, outputs, given), finding


def _status(name: str, status: str) -> Finding:
    if status in _WHOLE:
        return Finding(CHECK, name, "well", f"stack {name} is {status}")
    what = f"stack {name} is {status}"
    events = f"aws cloudformation describe-stack-events --stack-name {name}"
    if status == "UPDATE_ROLLBACK_FAILED":
        mend = f"aws cloudformation continue-update-rollback --stack-name {name}"
        return Finding(CHECK, name, "broken", what, mend)
    if status == "UPDATE_ROLLBACK_COMPLETE":
        why = f"{what}: the last update failed, what was there before works"
        return Finding(CHECK, name, "note", why, events)
    if status.endswith("_IN_PROGRESS") and "ROLLBACK" not in status:
        wait = f"aws cloudformation wait stack-update-complete --stack-name {name}"
        return Finding(CHECK, name, "note", what, wait)
    return Finding(CHECK, name, "broken", what, events)


def version(deployment: Deployment, own: str) -> Iterator[Finding]:
    """The deployed template's version beside the one of this command."""
    missing = [name for name in NEEDED if name not in deployment.outputs]
    deployed = deployment.outputs.get("Version", "")
    if missing:
        of = f"of version {deployed}" if deployed else "older than this kiln"
        what = f"stack {deployment.name} is {of} and lacks {', '.join(missing)}"
        yield Finding("version", own, "broken", what, "make deploy")
    elif deployed == own:
        yield Finding("version", own, "well", f"stack and command are of version {own}")
    else:
        what = f"stack {deployment.name} is of version {deployed}, this command of {own}"
        mend = "make deploy" if _numbers(deployed) < _numbers(own) else "git pull && make setup"
        yield Finding("version", own, "note", what, mend)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def parameters(given: Mapping[str, str]) -> Iterator[Finding]:
    """Parameters that do not go together, which CloudFormation lets pass."""
    if given.get("VpcId") and not given.get("SubnetIds"):
        what = (
            "VpcId is given and SubnetIds is not: builders go to the default subnets, where the "
            "security group of another VPC cannot be used"
        )
        mend = "make deploy PARAMETERS='VpcId=VPC SubnetIds=SUBNET,SUBNET'"
        yield Finding(CHECK, "SubnetIds", "broken", what, mend)
