"""The template's table, buckets, bus and queue: other accounts and plain HTTP are refused, whatever
their own policies say; our functions, EventBridge and Scheduler are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiln_local.iam.evaluation import Policies, decide
from kiln_local.iam.patterns import Value
from kiln_local.iam.principals import of_resource
from kiln_local.iam.statements import Check, Principal, Statement, parse
from kiln_local.world import LocalAws

ROOT = Path(__file__).parents[3]
ACCOUNT, FRIEND = "123456789012", "210987654321"
EVERYTHING = parse("all", '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
SERVICES = ("events.amazonaws.com", "scheduler.amazonaws.com")
# What each is asked for: by its logical id, with what stands after its ARN.
ASKED = {
    "Table": ("dynamodb:PutItem", ""),
    "Bucket": ("s3:PutObject", "/bakes/x"),
    "BundlesBucket": ("s3:PutObject", "/bundles/x"),
    "Bus": ("events:PutEvents", ""),
    "Alarms": ("sns:Publish", ""),
    "DeadLetters": ("sqs:ReceiveMessage", ""),
}
Everywhere = pytest.mark.parametrize("name", ASKED)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """The whole template."""
    with LocalAws(ROOT, speed=600) as aws:
        yield aws


def allowed(aws: LocalAws, name: str, account: str, action: str = "", **keys: Value) -> bool:
    """Whether somebody of an account whose own policies allow everything may do what is asked."""
    asked, rest = ASKED[name]
    check = Check(action or asked, arn(aws, name) + rest, context(account) | keys)
    who = Principal(f"arn:aws:sts::{account}:assumed-role/r/s", "", account)
    theirs, owner = of_resource(check.resource, aws.region)
    assert theirs, f"{name} has no policy"
    return decide(check, Policies(who, EVERYTHING, theirs, owner)).allowed


def arn(aws: LocalAws, name: str) -> str:
    """A resource's ARN."""
    made = aws.resources[name]
    return made.attributes.get("Arn", made.ref)


def context(account: str) -> dict[str, Value]:
    """The keys of a call of somebody in an account."""
    return {
        "aws:principalaccount": account,
        "aws:principalisawsservice": "false",
        "aws:securetransport": "true",
    }


@Everywhere
def test_our_account_is_let_in_and_another_is_not(aws: LocalAws, name: str) -> None:
    assert allowed(aws, name, ACCOUNT)
    assert not allowed(aws, name, FRIEND)


@Everywhere
def test_another_account_stays_out_although_somebody_lets_it_in(aws: LocalAws, name: str) -> None:
    """A statement more does not undo the Deny."""
    asked, rest = ASKED[name]
    let_in = parse(
        "let in",
        f'{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": '
        f'{{"AWS": "{FRIEND}"}}}}}}',
    )
    theirs, owner = of_resource(arn(aws, name) + rest, aws.region)
    who = Principal(f"arn:aws:sts::{FRIEND}:assumed-role/r/s", "", FRIEND)
    check = Check(asked, arn(aws, name) + rest, context(FRIEND))

    def may(statements: list[Statement]) -> bool:
        return decide(check, Policies(who, EVERYTHING, statements, owner)).allowed

    assert may(list(let_in))
    assert not may([*theirs, *let_in])


@Everywhere
def test_plain_http_is_refused(aws: LocalAws, name: str) -> None:
    assert not allowed(aws, name, ACCOUNT, **{"aws:securetransport": "false"})


@pytest.mark.parametrize("name", ["Bucket", "BundlesBucket"])
def test_who_signs_in_nowhere_is_refused(aws: LocalAws, name: str) -> None:
    check = Check("s3:PutObject", arn(aws, name) + "/x", {"aws:principalisawsservice": "false"})
    theirs, owner = of_resource(check.resource, aws.region)
    nobody = Principal("anonymous")
    assert not decide(check, Policies(nobody, EVERYTHING, theirs, owner)).allowed


def test_no_statement_stands_between_ec2_and_the_parts_of_a_bundle(aws: LocalAws) -> None:
    """EC2 reads them from an account of its own, by the list of access that the upload sets: no
    Deny may speak of GetObject there."""
    check = Check("s3:GetObject", arn(aws, "BundlesBucket") + "/bundles/x", context("999999999999"))
    theirs, _ = of_resource(check.resource, aws.region)
    assert not any(one.effect == "Deny" and one.match(check) for one in theirs)


def test_only_rules_of_the_account_fill_the_queue(aws: LocalAws) -> None:
    queue = arn(aws, "DeadLetters")
    theirs, owner = of_resource(queue, aws.region)
    for account, may in ((ACCOUNT, True), (FRIEND, False)):
        keys: dict[str, Value] = {
            "aws:sourceaccount": account,
            "aws:principalisawsservice": "true",
            "aws:securetransport": "true",
        }
        who = Principal("events.amazonaws.com", service="events.amazonaws.com")
        check = Check("sqs:SendMessage", queue, keys)
        assert decide(check, Policies(who, [], theirs, owner)).allowed is may


def test_every_rule_of_the_template_reaches_its_targets(aws: LocalAws) -> None:
    """Its functions by their permissions, its queue of dead letters by the queue's policy."""
    from kiln_local.iam.deliveries import Deliveries

    deliveries = Deliveries(aws.iam)
    client = aws.session().client("events")
    seen = 0
    for bus in client.list_event_buses()["EventBuses"]:
        for rule in client.list_rules(EventBusName=bus["Name"])["Rules"]:
            found = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])
            for target in found["Targets"]:
                source = "RULE_ARN", rule["Arn"]
                assert deliveries.refuses(target, source) == ""
                other = "RULE_ARN", rule["Arn"].replace("rule/", "rule/other-")
                assert deliveries.refuses(target, other) != ""
                queue = target.get("DeadLetterConfig")
                assert not queue or deliveries.refuses(queue, source) == ""
                seen += 1
    assert seen > 8
