"""The builders' instance profile: is it there, and may its role do what an agent and a bake need?

The agent's actions: Systems Manager User Guide, "Reference: ec2messages, ssmmessages, and other API
operations", of which AmazonSSMManagedInstanceCore has all. What of them is allowed tells IAM's own
simulator (IAM API, SimulatePrincipalPolicy), boundaries and organizations' policies included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "profile"
# Agents before 3.3.40.0 need ec2messages; the images of old platforms have such ones.
AGENT = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
)
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"ec2.amazonaws.com"}}]}'
)
CORE = "AmazonSSMManagedInstanceCore"


def profile(site: Site) -> Iterator[Finding]:
    """The profile, its role, what the role may do."""
    name = site.output("InstanceProfileName")
    iam = site.clients("iam")
    try:
        with translated("iam", "GetInstanceProfile"):
            found = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    except AwsRefused as error:
        if error.code != "NoSuchEntity":
            raise
        what = f"instance profile {name} does not exist: no builder can be launched"
        mend = f"aws iam create-instance-profile --instance-profile-name {name} && "
        yield Finding(CHECK, name, "broken", what, mend + _join(site, name))
        return
    if not found["Roles"]:
        what = f"instance profile {name} has no role: no agent of a builder can sign in"
        yield Finding(CHECK, name, "broken", what, _join(site, name))
        return
    yield from _role(site, iam, found["Roles"][0])


def _join(site: Site, name: str) -> str:
    """By hand: CloudFormation does not look whether what it has made is still there."""
    role = site.parameter("InstanceProfileRole").rpartition("/")[2]
    role = role or site.deployment.outputs.get("BuilderRoleName", "ROLE")
    return f"aws iam add-role-to-instance-profile --instance-profile-name {name} --role-name {role}"


def _role(site: Site, iam: Any, role: Any) -> Iterator[Finding]:
    name = role["RoleName"]
    given = site.parameter("InstanceProfileRole")
    if given and given != role["Arn"]:
        what = (
            f"the profile has role {role['Arn']}, InstanceProfileRole is {given}: Kiln may not "
            "pass it"
        )
        mend = f"make deploy PARAMETERS='InstanceProfileRole={role['Arn']}'"
        yield Finding(CHECK, name, "broken", what, mend)
    if not _trusts_ec2(role):
        what = f"role {name} does not let ec2.amazonaws.com assume it"
        mend = f"aws iam update-assume-role-policy --role-name {name} --policy-document '{_TRUST}'"
        yield Finding(CHECK, name, "broken", what, mend)
    denied = [*_denied(iam, role["Arn"], AGENT, "*"), *_denied(iam, role["Arn"], *_output(site))]
    if denied:
        what = f"role {name} may not do {', '.join(denied)}"
        yield Finding(CHECK, name, "broken", what, _mend(site, name, denied))
    else:
        what = f"role {name} may do what agents and builders need"
        yield Finding(CHECK, name, "well", what)


def _output(site: Site) -> tuple[tuple[str, ...], str]:
    """What a builder does itself: keep what its steps print."""
    bucket = site.output("BucketName")
    return ("s3:PutObject",), f"arn:{site.partition}:s3:::{bucket}/bakes/doctor"


def _mend(site: Site, name: str, denied: list[str]) -> str:
    if all(action.startswith("s3:") for action in denied):
        return f"let role {name} do s3:PutObject on {_output(site)[1].replace('doctor', '*')}"
    policy = f"arn:{site.partition}:iam::aws:policy/{CORE}"
    return f"aws iam attach-role-policy --role-name {name} --policy-arn {policy}"


def _denied(iam: Any, role: str, actions: tuple[str, ...], resource: str) -> list[str]:
    rows = every(
        *(iam, "iam", "simulate_principal_policy", "EvaluationResults"),
        PolicySourceArn=role,
        ActionNames=list(actions),
        ResourceArns=[resource],
    )
    return [row["EvalActionName"] for row in rows if row["EvalDecision"] != "allowed"]


def _trusts_ec2(role: Any) -> bool:
    """Whether the trust policy names EC2. botocore hands it over parsed; a text is URL-encoded."""
    policy = role.get("AssumeRolePolicyDocument", "")
    return "ec2.amazonaws.com" in unquote(str(policy))
