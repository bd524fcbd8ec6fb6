"""What policies say of a call: who is named, what is allowed, what a Deny takes back, and the words
of a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiln_local.iam import refusals
from kiln_local.iam.evaluation import Policies, decide, trusted
from kiln_local.iam.statements import Check, MalformedPolicy, Principal, Statement, parse

ROLE = "arn:aws:iam::123456789012:role/kiln-one"
SESSION = "arn:aws:sts::123456789012:assumed-role/kiln-one/one"
OURS = Principal(SESSION, ROLE, "123456789012")
THEIRS = Principal(SESSION.replace("123456789012", "210987654321"), "", "210987654321")
EVENTS = Principal("events.amazonaws.com", service="events.amazonaws.com")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/kiln"
READ = Check("dynamodb:GetItem", TABLE, {"aws:securetransport": "true"})


def statements(*given: dict[str, Any]) -> tuple[Statement, ...]:
    """A policy's statements; what one leaves out is Allow, everything, everywhere."""
    common = {"Effect": "Allow", "Resource": "*"}
    return parse("policy", json.dumps({"Statement": [common | one for one in given]}))


GETS = {"Action": "dynamodb:Get*"}
EVERYBODY = {"Action": "dynamodb:*", "Principal": "*"}


def allowed(who: Principal, own: tuple[Statement, ...], theirs: tuple[Statement, ...] = ()) -> bool:
    """Whether a table may be read."""
    return decide(READ, Policies(who, own, theirs, "123456789012")).allowed


def test_nothing_is_allowed_by_itself() -> None:
    made = decide(READ, Policies(OURS, ()))
    assert not made.allowed
    assert made.why == ("because no identity-based policy allows the dynamodb:GetItem action")


def test_an_allow_allows_and_a_deny_takes_it_back() -> None:
    assert allowed(OURS, statements(GETS))
    deny = GETS | {"Effect": "Deny"}
    assert not allowed(OURS, statements(GETS, deny))
    made = decide(READ, Policies(OURS, statements(GETS, deny)))
    assert made.why == "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("statement", "speaks"),
    [
        ({"Action": "DYNAMODB:getitem"}, True),
        ({"Action": "dynamodb:PutItem"}, False),
        ({"NotAction": "dynamodb:PutItem"}, True),
        ({"NotAction": ["dynamodb:*"]}, False),
        ({"Action": "*", "Resource": f"{TABLE}/index/*"}, False),
        ({"Action": "*", "Resource": [f"{TABLE}/index/*", TABLE]}, True),
        ({"Action": "*", "Resource": "arn:aws:dynamodb:*:*:table/k?ln"}, True),
    ],
)
def test_a_statement_speaks_of_a_call_or_not(statement: dict[str, Any], speaks: bool) -> None:
    assert allowed(OURS, statements(statement)) is speaks


def test_not_resource_is_everything_else() -> None:
    text = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "NotResource": TABLE}})
    assert not allowed(OURS, parse("other", text))
    assert decide(Check("s3:GetObject", "arn:aws:s3:::b/k"), Policies(OURS, parse("other", text)))


def test_in_one_account_either_policy_is_enough() -> None:
    named = {"Action": "dynamodb:GetItem", "Principal": {"AWS": ROLE}}
    assert allowed(OURS, (), statements(named))
    assert allowed(OURS, (), statements(named | {"Principal": {"AWS": SESSION}}))
    # The account's root stands for its policies: it gives a role nothing by itself.
    root = {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert not allowed(OURS, (), statements(named | root))
    assert allowed(OURS, statements(GETS), statements(named | root))


def test_another_account_needs_both() -> None:
    account = {"Action": "dynamodb:*", "Principal": {"AWS": "210987654321"}}
    assert not allowed(THEIRS, statements(GETS))
    assert not allowed(THEIRS, (), statements(account))
    assert allowed(THEIRS, statements(GETS), statements(account))
    deny = EVERYBODY | {
        "Effect": "Deny",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}},
    }
    assert not allowed(THEIRS, statements(GETS), statements(account, deny))


def test_a_service_is_allowed_by_a_resource_alone() -> None:
    service = {"Action": "dynamodb:*", "Principal": {"Service": "events.amazonaws.com"}}
    assert allowed(EVENTS, (), statements(service))
    assert not allowed(EVENTS, statements(GETS))
    assert not allowed(OURS, (), statements(service))


def test_not_principal_denies_all_others() -> None:
    deny = {"Effect": "Deny", "Action": "*", "NotPrincipal": {"AWS": ROLE}}
    assert allowed(OURS, statements(GETS), statements(deny))
    assert not allowed(THEIRS, statements(GETS), statements(EVERYBODY, deny))


def test_a_role_is_lent_to_whom_it_trusts() -> None:
    role = "arn:aws:iam::210987654321:role/lent"
    check = Check("sts:AssumeRole", role)
    may = statements({"Action": "sts:AssumeRole", "Resource": role})
    trust = {"Action": "sts:AssumeRole", "Principal": {"AWS": ROLE}}

    def lent(own: tuple[Statement, ...], trust: tuple[Statement, ...]) -> bool:
        return trusted(check, Policies(OURS, own, trust, "210987654321")).allowed

    assert lent(may, statements(trust))
    assert not lent((), statements(trust))
    assert not lent(may, ())
    assert not lent(may, statements(trust | {"Principal": {"AWS": "arn:aws:iam::1:role/x"}}))


def test_a_policy_that_iam_would_not_take_is_refused() -> None:
    with pytest.raises(MalformedPolicy, match="no JSON"):
        parse("broken", "{")
    with pytest.raises(MalformedPolicy, match="Actions"):
        parse("misspelt", json.dumps({"Statement": [{"Effect": "Allow", "Actions": "*"}]}))


@pytest.mark.parametrize(
    ("prefix", "code", "status"),
    [
        ("ec2", "UnauthorizedOperation", 403),
        ("dynamodb", "AccessDeniedException", 400),
        ("ssm", "AccessDeniedException", 400),
        ("lambda", "AccessDeniedException", 403),
        ("s3", "AccessDenied", 403),
        ("autoscaling", "AccessDenied", 403),
    ],
)
def test_each_service_says_no_in_its_own_way(prefix: str, code: str, status: int) -> None:
    response, parsed = refusals.answer(prefix, "no")
    assert (parsed["Error"]["Code"], response.status_code) == (code, status)


def test_a_refusal_says_who_what_where_and_why() -> None:
    said = refusals.said(SESSION, READ, "because no identity-based policy allows it")
    assert said == (
        f"User: {SESSION} is not authorized to perform: dynamodb:GetItem on resource: {TABLE} "
        "because no identity-based policy allows it"
    )
    launch = Check("ec2:RunInstances", "arn:aws:ec2:eu-west-1:123456789012:instance/*")
    assert refusals.said(SESSION, launch, "").startswith("You are not authorized to perform this")
