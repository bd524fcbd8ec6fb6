"""Keys: there, enabled, open to Kiln and to whom images are shared with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln_cli.doctor.keys import keys
from kiln_cli.doctor.site import Key, Used
from kiln_cli.doctor.using import keys_of
from tests.examined import ACCOUNT, Examined, a_site, states

ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER = "210987654321"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
# As docs/security.md has them.
SERVICES = [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:GenerateDataKey*"]},
    {
        "Effect": "Allow",
        "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
        "Action": ["kms:Encrypt*"],
    },
    {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    },
]


def a_key(aws: Examined, state: str = "Enabled", manager: str = "CUSTOMER") -> None:
    """DescribeKey's answer."""
    row = {"KeyId": ARN.rpartition("/")[2], "Arn": ARN, "KeyState": state, "KeyManager": manager}
    aws["kms"].answer("describe_key", {"KeyMetadata": row})


def policy(aws: Examined, *statements: dict[str, Any]) -> None:
    """GetKeyPolicy's answer."""
    aws["kms"].answer("get_key_policy", {"Policy": json.dumps({"Statement": list(statements)})})


def images(*accounts: str, name: str = "alias/images") -> Used:
    """A blueprint with a key."""
    return Used(keys=(Key(name, "eu-west-1", "blueprint web", accounts),))


def test_no_key_is_well() -> None:
    with a_site() as aws:
        assert states(aws.found(keys)) == ["well"]


def test_the_templates_key_must_let_in_what_kiln_is_made_of() -> None:
    with a_site(KmsKeyArn=ARN) as aws:
        a_key(aws)
        policy(aws, ROOT, *SERVICES)
        assert states(aws.found(keys)) == ["well"]


@pytest.mark.parametrize(
    ("lacks", "says"),
    [(0, "who uses table"), (1, "CloudWatch Logs"), (2, "EventBridge, CloudWatch's alarms")],
)
def test_what_the_policy_of_the_templates_key_lacks_is_named(lacks: int, says: str) -> None:
    with a_site(KmsKeyArn=ARN) as aws:
        a_key(aws)
        policy(aws, ROOT, *(one for number, one in enumerate(SERVICES) if number != lacks))
        (finding,) = aws.found(keys)
    assert finding.state == "broken"
    assert says in finding.what


@pytest.mark.parametrize(
    ("state", "mend"),
    [("Disabled", "aws kms enable-key"), ("PendingDeletion", "aws kms cancel-key-deletion")],
)
def test_a_key_must_be_enabled(state: str, mend: str) -> None:
    with a_site(images()) as aws:
        a_key(aws, state)
        (finding,) = aws.found(keys)
    assert (finding.state, f"is {state}" in finding.what) == ("broken", True)
    assert str(finding.mend).startswith(mend)


def test_a_key_must_exist() -> None:
    with a_site(images()) as aws:
        aws["kms"].refuse("describe_key", "NotFoundException")
        (finding,) = aws.found(keys)
    assert "the key that blueprint web names does not exist in eu-west-1" in finding.what


def test_kilns_roles_use_a_key_by_what_its_policy_leaves_to_iam() -> None:
    with a_site(images()) as aws:
        a_key(aws)
        policy(aws, ROOT | {"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}})
        (finding,) = aws.found(keys)
    assert "leaves nothing to IAM" in finding.what


def test_an_account_that_gets_images_needs_the_key() -> None:
    with a_site(images(OTHER)) as aws:
        a_key(aws)
        policy(aws, ROOT)
        aws["kms"].answer("list_grants", {"Grants": [], "Truncated": False})
        (finding,) = aws.found(keys)
    assert finding.state == "broken"
    assert f"--grantee-principal arn:aws:iam::{OTHER}:root" in str(finding.mend)


@pytest.mark.parametrize("way", ["policy", "grant"])
def test_an_account_may_have_the_key_by_policy_or_by_grant(way: str) -> None:
    theirs = f"arn:aws:iam::{OTHER}:role/launches"
    with a_site(images(OTHER)) as aws:
        a_key(aws)
        if way == "policy":
            policy(aws, ROOT, ROOT | {"Principal": {"AWS": [theirs]}})
        else:
            policy(aws, ROOT)
            aws["kms"].answer("list_grants", {"Grants": [{"GranteePrincipal": theirs}]})
        assert states(aws.found(keys)) == ["well"]


def test_awss_own_key_cannot_be_shared() -> None:
    with a_site(images(OTHER, name="alias/aws/ebs")) as aws:
        a_key(aws, manager="AWS")
        (finding,) = aws.found(keys)
    assert finding.state == "broken"
    with a_site(images(name="alias/aws/ebs")) as aws:
        a_key(aws, manager="AWS")
        assert aws.found(keys) == []


def test_a_blueprint_names_keys_here_and_elsewhere() -> None:
    blueprint = blueprint_from(
        {
            "kind": "blueprint",
            "name": "web",
            "platform": "debian-12",
            "base": {"image": "ami-12345678"},
            "builder": {"volume": {"kms_key": "alias/here"}},
            "distribute": {
                "regions": [{"region": "us-east-1", "kms_key": "alias/there"}],
                "accounts": [OTHER],
            },
        }
    )
    assert list(keys_of(blueprint, "eu-west-1")) == [
        Key("alias/here", "eu-west-1", "blueprint web", (OTHER,)),
        Key("alias/there", "us-east-1", "blueprint web", (OTHER,)),
    ]
