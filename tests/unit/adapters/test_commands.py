"""What is asked of Systems Manager for commands, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kiln.adapters.commands import SsmCommands
from kiln.domain.documents import DocumentCall
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CommandFacts, CommandOrder, StepResult
from tests.stubs import Script, scripted

COMMAND = "11111111-2222-3333-4444-555555555555"
INSTANCE = "i-00000000000000001"


@pytest.fixture
def ssm() -> Iterator[Script]:
    with scripted("ssm") as script:
        yield script


@pytest.fixture
def commands(ssm: Script) -> SsmCommands:
    return SsmCommands(ssm.client, "kiln", "kiln-bucket")


@pytest.mark.parametrize(
    ("call", "document"),
    [
        (DocumentCall("run-shell", {"Script": ["ZWNobw=="]}, 600), "kiln-run-shell"),
        (DocumentCall("AWS-RunSaltState", {}, 600, ours=False), "AWS-RunSaltState"),
    ],
)
def test_a_document_is_sent_with_its_output_to_the_bucket(
    ssm: Script, commands: SsmCommands, call: DocumentCall, document: str
) -> None:
    """TimeoutSeconds is the delivery's; how long a script may run is the document's own business.
    Nothing else goes along: no CloudWatch output, no notification, no role."""
    request = {
        "DocumentName": document,
        "InstanceIds": [INSTANCE],
        "Parameters": call.parameters,
        "Comment": "kiln web step-0",
        "TimeoutSeconds": 600,
        "OutputS3BucketName": "kiln-bucket",
        "OutputS3KeyPrefix": "bakes/web/step-0",
    }
    ssm.answer("send_command", {"Command": {"CommandId": COMMAND}}, request)
    order = CommandOrder(INSTANCE, call, "kiln web step-0", "bakes/web/step-0")
    assert commands.send(order) == COMMAND


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InvalidInstanceId", AwsRefused),
        ("InvalidDocument", AwsRefused),
        ("InvalidParameters", AwsRefused),
        ("ThrottlingException", AwsBusy),
        ("InternalServerError", AwsBusy),
    ],
)
def test_a_command_that_is_not_taken_is_an_error(
    ssm: Script, commands: SsmCommands, code: str, error: type[Exception]
) -> None:
    """Codes: Systems Manager API reference, SendCommand and "Common errors"."""
    ssm.refuse("send_command", code)
    order = CommandOrder(INSTANCE, DocumentCall("run-shell", {}, 600), "c", "p")
    with pytest.raises(error, match=code):
        commands.send(order)


@pytest.mark.parametrize(
    ("found", "online"),
    [
        ([], False),
        ([{"InstanceId": INSTANCE, "PingStatus": "ConnectionLost"}], False),
        ([{"InstanceId": INSTANCE, "PingStatus": "Inactive"}], False),
        ([{"InstanceId": INSTANCE, "PingStatus": "Online"}], True),
    ],
)
def test_an_instance_is_online_when_its_agent_answers(
    ssm: Script, commands: SsmCommands, found: list[dict[str, Any]], online: bool
) -> None:
    ssm.answer(
        "describe_instance_information",
        {"InstanceInformationList": found},
        {"Filters": [{"Key": "InstanceIds", "Values": [INSTANCE]}]},
    )
    assert commands.online(INSTANCE) is online


def test_a_command_is_found_again_by_its_comment(ssm: Script, commands: SsmCommands) -> None:
    listed = [{"CommandId": "a" * 36, "Comment": "other"}, {"CommandId": "b" * 36}]
    request = {"InstanceId": INSTANCE, "MaxResults": 50}
    ssm.answer("list_commands", {"Commands": listed}, request)
    assert commands.find(INSTANCE, "kiln web step-0") is None
    listed.append({"CommandId": COMMAND, "Comment": "kiln web step-0"})
    ssm.answer("list_commands", {"Commands": listed}, request)
    assert commands.find(INSTANCE, "kiln web step-0") == COMMAND


def test_a_command_that_is_not_delivered_is_none(ssm: Script, commands: SsmCommands) -> None:
    request = {"CommandId": COMMAND, "InstanceId": INSTANCE, "Details": True}
    ssm.answer("list_command_invocations", {"CommandInvocations": []}, request)
    assert commands.look(COMMAND, INSTANCE) is None


def test_a_command_is_looked_at_step_by_step(ssm: Script, commands: SsmCommands) -> None:
    """A step that has not run has no exit code; Run Command's own value for that is -1."""
    invocation = {
        "CommandId": COMMAND,
        "InstanceId": INSTANCE,
        "Status": "Failed",
        "StatusDetails": "Failed",
        "CommandPlugins": [
            {"Name": "lock", "Status": "Success", "ResponseCode": 0},
            {"Name": "packages", "Status": "Failed", "ResponseCode": 3, "Output": "cut"},
            {"Name": "facts", "Status": "Pending"},
        ],
    }
    ssm.answer("list_command_invocations", {"CommandInvocations": [invocation]})
    assert commands.look(COMMAND, INSTANCE) == CommandFacts(
        status="Failed",
        detail="Failed",
        steps=(
            StepResult("lock", "Success", 0),
            StepResult("packages", "Failed", 3),
            StepResult("facts", "Pending", -1),
        ),
    )


def test_the_output_of_one_step_is_read_whole(ssm: Script, commands: SsmCommands) -> None:
    request = {"CommandId": COMMAND, "InstanceId": INSTANCE, "PluginName": "facts"}
    answer = {
        "Status": "Success",
        "ResponseCode": 0,
        "StandardOutputContent": "machine_id=1\n",
        "StandardErrorContent": "",
    }
    ssm.answer("get_command_invocation", answer, request)
    expected = StepResult("facts", "Success", 0, "machine_id=1\n", "")
    assert commands.output(COMMAND, INSTANCE, "facts") == expected


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://s3.eu-west-1.amazonaws.com/kiln-bucket/bakes/a%20b/stderr", "bakes/a b/stderr"),
        ("https://kiln-bucket.s3.eu-west-1.amazonaws.com/bakes/a/stderr", "bakes/a/stderr"),
        ("https://s3.eu-west-1.amazonaws.com/another/bakes/a/stderr", ""),
        ("", ""),
    ],
)
def test_it_is_told_where_the_whole_output_of_a_step_lies(
    ssm: Script, commands: SsmCommands, url: str, key: str
) -> None:
    answer = {"Status": "Failed", "StandardOutputUrl": url, "StandardErrorUrl": url}
    ssm.answer("get_command_invocation", answer)
    found = commands.output(COMMAND, INSTANCE, "script")
    assert (found.stdout_key, found.stderr_key) == (key, key)


def test_an_invocation_that_is_not_known_yet_is_tried_again(
    ssm: Script, commands: SsmCommands
) -> None:
    """Right after SendCommand, InvocationDoesNotExist is normal."""
    ssm.refuse("get_command_invocation", "InvocationDoesNotExist")
    with pytest.raises(AwsBusy, match=f"{COMMAND} is not known on {INSTANCE} yet"):
        commands.output(COMMAND, INSTANCE, "facts")


def test_a_step_that_the_document_does_not_have_is_an_error(
    ssm: Script, commands: SsmCommands
) -> None:
    ssm.refuse("get_command_invocation", "InvalidPluginName")
    with pytest.raises(AwsRefused, match="InvalidPluginName"):
        commands.output(COMMAND, INSTANCE, "none")
