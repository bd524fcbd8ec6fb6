"""Systems Manager: agents and Run Command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kiln.adapters._errors import translated
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CommandFacts, CommandOrder, StepResult

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_DELIVERY_S = 600
# What Run Command gives as the exit code of a step that has none (yet).
_NO_CODE = -1


class SsmCommands:
    """`Commands` on Systems Manager."""

    def __init__(self, ssm: SSMClient, document_prefix: str, bucket: str) -> None:
        self._ssm = ssm
        self._document_prefix = document_prefix
        self._bucket = bucket

    def online(self, instance: str) -> bool:
        """Whether the agent has answered a ping in the last five minutes (PingStatus Online)."""
        with translated("ssm", "DescribeInstanceInformation"):
            answer = self._ssm.describe_instance_information(
                Filters=[{"Key": "InstanceIds", "Values": [instance]}]
            )
        return any(
            entry.get("PingStatus") == "Online" for entry in answer["InstanceInformationList"]
        )

    def send(self, order: CommandOrder) -> str:
        """One SendCommand call; its output goes to the bucket whole."""
        call = order.call
        name = f"{self._document_prefix}-{call.name}" if call.ours else call.name
        with translated("ssm", "SendCommand"):
            answer = self._ssm.send_command(
                DocumentName=name,
                InstanceIds=[order.instance],
                Parameters=call.parameters,
                Comment=order.comment,
                TimeoutSeconds=_DELIVERY_S,
                OutputS3BucketName=self._bucket,
                OutputS3KeyPrefix=order.output_prefix,
            )
        return answer["Command"]["CommandId"]

    def find(self, instance: str, comment: str) -> str | None:
        """The command sent earlier with this comment, the newest 50 of the instance looked
        through."""
        with translated("ssm", "ListCommands"):
            answer = self._ssm.list_commands(InstanceId=instance, MaxResults=50)
        found = (c["CommandId"] for c in answer["Commands"] if c.get("Comment") == comment)
        return next(found, None)

    def look(self, command: str, instance: str) -> CommandFacts | None:
        """The invocation with its steps, without their output."""
        with translated("ssm", "ListCommandInvocations"):
            answer = self._ssm.list_command_invocations(
                CommandId=command, InstanceId=instance, Details=True
            )
        return next(map(_facts, answer["CommandInvocations"]), None)

    def output(self, command: str, instance: str, step: str) -> StepResult:
        """One step's output. A command just sent has none yet: that is busy, not an error."""
        try:
            with translated("ssm", "GetCommandInvocation"):
                found = self._ssm.get_command_invocation(
                    CommandId=command, InstanceId=instance, PluginName=step
                )
        except AwsRefused as error:
            if error.code == "InvocationDoesNotExist":
                raise AwsBusy(f"command {command} is not known on {instance} yet") from error
            raise
        return StepResult(
            name=step,
            status=found["Status"],
            exit_code=found.get("ResponseCode", _NO_CODE),
            stdout=found.get("StandardOutputContent", ""),
            stderr=found.get("StandardErrorContent", ""),
            stdout_key=self._key(found.get("StandardOutputUrl", "")),
            stderr_key=self._key(found.get("StandardErrorUrl", "")),
        )

    def _key(self, url: str) -> str:
        """An object's key in Kiln's bucket, by either form of S3's addresses; else empty."""
        parts = urlsplit(url)
        path = unquote(parts.path).removeprefix("/")
        if parts.netloc.startswith(f"{self._bucket}."):
            return path
        bucket, _, key = path.partition("/")
        return key if bucket == self._bucket else ""


def _facts(found: Any) -> CommandFacts:
    steps = tuple(
        StepResult(
            name=plugin["Name"],
            status=plugin["Status"],
            exit_code=plugin.get("ResponseCode", _NO_CODE),
        )
        for plugin in found.get("CommandPlugins", ())
    )
    return CommandFacts(status=found["Status"], detail=found.get("StatusDetails", ""), steps=steps)
