"""The builders' instance profile and its role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kiln.errors import AwsRefused
from kiln_cli.doctor.profile import AGENT, profile
from tests.examined import Examined, a_site, states

THEN = datetime(2026, 11, 1, tzinfo=UTC)
TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]}'
ROLE = {
    "Path": "/",
    "RoleName": "kiln-role",
    "RoleId": "AROA12345678901234567",
    "Arn": "arn:aws:iam::123456789012:role/kiln-role",
    "CreateDate": THEN,
    "AssumeRolePolicyDocument": TRUST,
}


def a_profile(aws: Examined, *roles: dict[str, Any]) -> None:
    """The profile, with roles."""
    row = {
        "Path": "/",
        "InstanceProfileName": "kiln-profile",
        "InstanceProfileId": "AIPA12345678901234567",
        "Arn": "arn:aws:iam::123456789012:instance-profile/kiln-profile",
        "CreateDate": THEN,
        # botocore parses the trust policy in place.
        "Roles": [dict(role) for role in roles],
    }
    aws["iam"].answer("get_instance_profile", {"InstanceProfile": row})


def simulated(aws: Examined, *denied: str) -> None:
    """What IAM says of the agent's actions, then of what builders keep."""
    for actions in (AGENT, ("s3:PutObject",)):
        rows = [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action in denied else "allowed",
            }
            for action in actions
        ]
        aws["iam"].answer("simulate_principal_policy", {"EvaluationResults": rows})


def test_a_profile_whose_role_may_everything_is_well() -> None:
    with a_site() as aws:
        a_profile(aws, ROLE)
        simulated(aws)
        assert states(aws.found(profile)) == ["well"]


def test_a_profile_that_is_gone_is_made_anew() -> None:
    with a_site() as aws:
        aws["iam"].refuse("get_instance_profile", "NoSuchEntity", 404)
        (finding,) = aws.found(profile)
    assert finding.state == "broken"
    assert "--role-name kiln-role" in str(finding.mend)


def test_a_refusal_is_not_taken_for_a_profile_that_is_gone() -> None:
    with a_site() as aws:
        aws["iam"].refuse("get_instance_profile", "AccessDenied", 403)
        with pytest.raises(AwsRefused, match="AccessDenied"):
            aws.found(profile)


def test_a_profile_without_a_role_is_broken() -> None:
    with a_site(InstanceProfileRole="arn:aws:iam::123456789012:role/path/mine") as aws:
        a_profile(aws)
        (finding,) = aws.found(profile)
    assert finding.state == "broken"
    assert "--role-name mine" in str(finding.mend)


def test_another_role_than_kiln_may_pass_is_seen() -> None:
    with a_site(InstanceProfileRole="arn:aws:iam::123456789012:role/other") as aws:
        a_profile(aws, ROLE)
        simulated(aws)
        found = aws.found(profile)
    assert states(found) == ["broken", "well"]
    assert found[0].mend == f"make deploy PARAMETERS='InstanceProfileRole={ROLE['Arn']}'"


def test_a_role_that_ec2_cannot_assume_is_broken() -> None:
    with a_site() as aws:
        trust = TRUST.replace("ec2.", "lambda.")
        a_profile(aws, ROLE | {"AssumeRolePolicyDocument": trust})
        simulated(aws)
        assert states(aws.found(profile)) == ["broken", "well"]


@pytest.mark.parametrize(
    ("denied", "mend"),
    [
        ("ssmmessages:OpenControlChannel", "aws iam attach-role-policy --role-name kiln-role"),
        ("s3:PutObject", "let role kiln-role do s3:PutObject on arn:aws:s3:::kiln-bucket/bakes/*"),
    ],
)
def test_what_the_role_may_not_do_is_named(denied: str, mend: str) -> None:
    with a_site() as aws:
        a_profile(aws, ROLE)
        simulated(aws, denied)
        (finding,) = aws.found(profile)
    assert finding.what == f"role kiln-role may not do {denied}"
    assert str(finding.mend).startswith(mend)
