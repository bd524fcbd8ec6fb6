"""The doctor in a deployment that is broken in one place after the other: it sees each, and what it
says mends it is run as it stands, by the aws command, until it finds nothing broken."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.sqs.responses import SQSResponse

from kiln.domain.blueprint import blueprint_from
from kiln_cli import local
from kiln_cli.applying import store_blueprint
from kiln_cli.doctor.stack import NEEDED
from kiln_cli.files import BlueprintFile
from kiln_cli.place import Place, make_place
from kiln_local.patches import Patches
from kiln_local.world import LocalAws
from tests.aws_command import aws
from tests.e2e.running import ROOT
from tests.integration.local.worlds import until
from tests.kiln_command import Ran, run

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True)
class Ward:
    """A deployed Kiln in a local AWS."""

    aws: LocalAws
    place: Place

    def client(self, service: str, region: str | None = None) -> Any:
        return self.aws.session().client(service, region_name=region)  # type: ignore[call-overload]

    def output(self, name: str) -> str:
        return str(self.aws.outputs[name])


@pytest.fixture(scope="module")
def ward() -> Iterator[Ward]:
    with LocalAws(ROOT, speed=200) as aws:
        place = make_place(aws.session(), "kiln", aws.outputs, aws.parameters)
        local.tell_outputs(place)
        topic = aws.outputs["AlarmTopicArn"]
        place.client("sns").subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15550100")
        yield Ward(aws, place)


def doctor() -> Ran:
    return run("doctor", "--json")


def found(ran: Ran, *states: str) -> list[dict[str, Any]]:
    """Findings in these states."""
    return [finding for finding in ran.json["findings"] if finding["state"] in states]


def mend(ward: Ward, command: str) -> None:
    """Run what the doctor says, its placeholders filled in, as a shell would."""
    told = {"GROUP": ward.output("BuilderSecurityGroupId")}
    filled = re.sub(r"\b(GROUP)\b", lambda word: told[word[0]], command)
    for one in filled.split(" && "):
        words = shlex.split(one)
        if words[0] == "kiln":
            assert run(*words[1:]).status == 0
            continue
        assert words[0] == "aws", one
        ran = aws(words[1:])
        assert ran.status == 0, (one, ran.stderr)


# ------------------------------------------------------------------ what may be broken


def delete_profile(ward: Ward) -> None:
    iam, name = ward.client("iam"), ward.output("InstanceProfileName")
    role = ward.output("BuilderRoleName")
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
    iam.delete_instance_profile(InstanceProfileName=name)


def take_role_away(ward: Ward) -> None:
    name, role = ward.output("InstanceProfileName"), ward.output("BuilderRoleName")
    ward.client("iam").remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)


def detach_core(ward: Ward) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    role = ward.output("BuilderRoleName")
    ward.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


def distrust_ec2(ward: Ward) -> None:
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    trust += '"Principal":{"Service":"lambda.amazonaws.com"}}]}'
    role = ward.output("BuilderRoleName")
    ward.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust)


def take_the_way_away(ward: Ward) -> None:
    ec2 = ward.client("ec2")
    main = {"Name": "association.main", "Values": ["true"]}
    (table,) = ec2.describe_route_tables(Filters=[main])["RouteTables"]
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")


def give_no_address(ward: Ward) -> None:
    ec2 = ward.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False})


def shut_the_group(ward: Ward) -> None:
    ec2, group = ward.client("ec2"), ward.output("BuilderSecurityGroupId")
    (row,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=row["IpPermissionsEgress"])


def send_a_letter(ward: Ward) -> None:
    target = {"DataType": "String", "StringValue": ward.output("FollowBasesFunctionArn")}
    ward.client("sqs").send_message(
        QueueUrl=ward.output("DeadLettersUrl"),
        MessageBody=(ROOT / "events/follow_bases.json").read_text(),
        MessageAttributes={"TARGET_ARN": target},
    )


def unsubscribe(ward: Ward) -> None:
    sns = ward.client("sns", "us-east-1")
    first = sns.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"]
    sns.unsubscribe(SubscriptionArn=first)


def keep_logs_for_ever(ward: Ward) -> None:
    logs = ward.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/kiln-")["logGroups"]
    logs.delete_retention_policy(logGroupName=groups[0]["logGroupName"])


BROKEN: dict[str, tuple[Callable[[Ward], None], str, str]] = {
    "profile": (delete_profile, "broken", "does not exist: no builder can be launched"),
    "no-role": (take_role_away, "broken", "has no role"),
    "core": (detach_core, "broken", "may not do ssm:UpdateInstanceInformation"),
    "trust": (distrust_ec2, "broken", "does not let ec2.amazonaws.com assume it"),
    "address": (give_no_address, "broken", "no public address"),
    "group": (shut_the_group, "broken", "HTTPS outward is not allowed"),
    "letter": (send_a_letter, "broken", "1 events could not be delivered"),
    "notices": (unsubscribe, "broken", "is not subscribed to"),
    "logs": (keep_logs_for_ever, "note", "keeps its logs for ever"),
}


def test_a_fresh_deployment_is_well(ward: Ward) -> None:
    ran = doctor()
    assert (ran.status, found(ran, "broken", "unknown", "note")) == (0, [])
    assert ran.json["well"] is True


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_seen_and_its_command_mends_it(ward: Ward, what: str) -> None:
    break_it, state, says = BROKEN[what]
    break_it(ward)
    ran = doctor()
    wrong = found(ran, "broken", "unknown", "note")
    # The alarm of the dead letters may have seen the letter too.
    (finding,) = [one for one in wrong if one["about"] != "kiln-dead-letters"]
    assert finding["state"] == state
    assert says in finding["what"]
    assert ran.status == (1 if state == "broken" else 0)
    mend(ward, finding["mend"])
    until(lambda: not found(doctor(), "broken", "unknown", "note"))


def test_a_subnet_without_a_way_is_led_out_by_endpoints_step_by_step(ward: Ward) -> None:
    take_the_way_away(ward)
    seen = []
    for _ in range(4):
        wrong = found(doctor(), "broken", "note")
        if not wrong:
            break
        seen.append(wrong[0]["what"])
        # One endpoint serves every subnet of the VPC, so the first command must do for all.
        mend(ward, wrong[0]["mend"])
    assert found(doctor(), "broken", "note") == []
    assert "no way to Systems Manager" in seen[0]
    assert "lets no HTTPS in from the builders" in seen[1]


def test_a_new_account_grants_little(ward: Ward) -> None:
    given = ward.aws.endowment
    before = dict(given.ec2), given.lambda_concurrency
    given.ec2["L-1216C47A"], given.lambda_concurrency = 5.0, 10
    try:
        ran = doctor()
    finally:
        given.ec2, given.lambda_concurrency = before
    assert ran.status == 0
    vcpus, functions = found(ran, "note")
    assert "room for 2 bakes at once, MaxBakes is 10" in vcpus["what"]
    assert "--desired-value 20" in vcpus["mend"]
    assert "10 functions may run at once, 10 bakes want 20" in functions["what"]


def test_a_key_that_a_blueprint_names_must_be_there(ward: Ward) -> None:
    document = {
        "kind": "blueprint",
        "name": "keyed",
        "platform": "amazon-linux-2023",
        "base": {"image": "ami-12345678"},
        "builder": {"instance_types": ["m7i.large"], "volume": {"kms_key": "alias/images"}},
    }
    file = BlueprintFile(Path("keyed.yaml"), document, blueprint_from(document))
    store_blueprint(file, ward.place)
    (gone,) = found(doctor(), "broken")
    assert "the key that blueprint keyed names does not exist in eu-west-1" in gone["what"]
    kms = ward.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/images", TargetKeyId=key)
    assert found(doctor(), "broken") == []
    kms.disable_key(KeyId=key)
    (disabled,) = found(doctor(), "broken")
    mend(ward, disabled["mend"])
    assert found(doctor(), "broken") == []


def test_a_stack_that_is_older_than_the_command_is_told_to_be_deployed(ward: Ward) -> None:
    gone = ("Version", "InstanceProfileName")
    old = {name: value for name, value in ward.aws.outputs.items() if name not in gone}
    local.tell_outputs(make_place(ward.aws.session(), "elder", old, ward.aws.parameters))
    ran = run("doctor", "--stack-name", "elder", "--json")
    (finding, *_) = found(ran, "broken")
    assert finding["what"] == (
        "stack elder is older than this kiln and lacks Version, InstanceProfileName"
    )
    assert finding["mend"] == "make deploy"
    (untold,) = found(ran, "unknown")
    assert (untold["check"], untold["mend"]) == ("profile", "make deploy")


def test_without_a_stack_the_first_things_are_told_all_the_same(ward: Ward) -> None:
    ran = run("doctor", "--stack-name", "none", "--json")
    assert ran.status == 1
    (finding,) = found(ran, "broken")
    assert (finding["check"], finding["mend"]) == ("stack", "make deploy")
    assert {row["check"] for row in found(ran, "well")} == {"credentials", "region", "quotas"}


def test_what_aws_refuses_to_say_is_not_called_well(ward: Ward) -> None:
    def refuse(_: SQSResponse) -> None:
        raise JsonRESTError("AccessDenied", "no identity-based policy allows the action")

    patches = Patches()
    patches.set(SQSResponse, "get_queue_attributes", refuse)
    try:
        ran = doctor()
    finally:
        patches.undo()
    assert ran.status == 3
    (finding,) = found(ran, "unknown")
    assert (finding["check"], finding["about"]) == ("dead-letters", "sqs:GetQueueAttributes")
    assert "let whoever asks do sqs:GetQueueAttributes" in finding["mend"]


def test_the_doctor_looks_at_the_outputs_that_the_template_has(ward: Ward) -> None:
    assert set(NEEDED) <= set(ward.aws.outputs)


def test_a_person_reads_lines_and_the_sum(ward: Ward) -> None:
    lines = run("doctor").stdout.splitlines()
    assert lines[0].startswith("well     credentials 123456789012: you are arn:aws:")
    assert re.fullmatch(r"(\d+ to know of, )?\d+ well", lines[-1])
