"""A place to examine, made of scripts of what AWS answers, and what a check finds there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Check, Deployment, Site, Used
from tests.aws_command import aws
from tests.stubs import Script, scripted

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:kiln-FollowBasesFunction"
OUTPUTS = {
    "BucketName": "kiln-bucket",
    "DeadLettersUrl": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/kiln-dead-letters",
    "AlarmTopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:kiln-alarms",
    "InstanceProfileName": "kiln-profile",
    "BuilderRoleName": "kiln-role",
    "BuilderSecurityGroupId": "sg-0b",
    "FollowBasesFunctionArn": FUNCTION,
}
NOTHING = Used()


class Examined:
    """A site whose services answer by scripts: `aws["ec2"].answer(...)`."""

    def __init__(self, stack: ExitStack, used: Used, parameters: dict[str, str]) -> None:
        self._stack = stack
        self._scripts: dict[str, Script] = {}
        self.site = Site(
            clients=lambda service, *_: self[service].client,
            region="eu-west-1",
            account=ACCOUNT,
            partition="aws",
            deployment=Deployment("kiln", OUTPUTS, parameters),
            used=used,
        )

    def __getitem__(self, service: str) -> Script:
        if service not in self._scripts:
            self._scripts[service] = self._stack.enter_context(scripted(service))
        return self._scripts[service]

    def found(self, check: Check) -> list[Finding]:
        """What a check finds; what is not well must say how it is mended, by a command that is
        one."""
        findings = list(check(self.site))
        for finding in findings:
            assert (finding.mend is None) == (finding.state == "well"), finding
            mends(finding)
        return findings


@contextmanager
def a_site(used: Used = NOTHING, **parameters: str) -> Iterator[Examined]:
    """A site; every answer that is scripted must be asked for."""
    with ExitStack() as stack:
        yield Examined(stack, used, parameters)


def states(findings: list[Finding]) -> list[str]:
    """The findings' states, in order."""
    return [finding.state for finding in findings]


def mends(finding: Finding) -> None:
    """Let the aws command itself parse what is said to mend something."""
    for command in (finding.mend or "").split(" && "):
        words = ["{}" if word.startswith("file://") else word for word in _words(command)]
        if words[:1] == ["aws"] and words[1] not in ("configure", "sso") and "wait" not in words:
            assert parses(tuple(words[1:])), command


def _words(command: str) -> list[str]:
    # What is no command is said in words, which may have an apostrophe.
    return shlex.split(command) if command.startswith("aws ") else command.split()


@cache
def parses(words: tuple[str, ...]) -> bool:
    """Whether the aws command knows an operation and its options. With a skeleton asked for it
    calls nobody."""
    ran = aws((*words, "--generate-cli-skeleton", "input"))
    assert ran.status == 0, ran.stderr
    return True
