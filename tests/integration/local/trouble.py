"""A project of one function and one machine for tests of what goes wrong, with a look at its
ends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kiln_local.faults import faults_from
from kiln_local.world import LocalAws
from tests.integration.local.worlds import World, until

_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  KeepFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: functions/keep
      Timeout: 60
      Policies:
        - Statement:
            - {Effect: Allow, Action: ssm:PutParameter, Resource: "*"}
      Events:
        Images:
          Type: EventBridgeRule
          Properties:
            Pattern: {source: [aws.ec2], detail-type: [EC2 AMI State Change]}
            InputPath: $.detail
  KeepMachine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: kiln-keep
      Type: STANDARD
      DefinitionUri: statemachine/keep.asl.yaml
      DefinitionSubstitutions: {KeepFunctionArn: !GetAtt KeepFunction.Arn}
      Policies:
        - Statement:
            - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt KeepFunction.Arn}
"""
_MACHINE = """
QueryLanguage: JSONata
StartAt: Keep
States:
  Keep:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: ${KeepFunctionArn}
      Payload: "{% $states.input %}"
    Retry:
      - ErrorEquals: [Lambda.TooManyRequestsException, Runtime.ExitError, Sandbox.Timedout]
        IntervalSeconds: 2
        BackoffRate: 1
        MaxAttempts: 3
    Next: Pause
  Pause:
    Type: Wait
    Seconds: 20
    End: true
"""
# It writes, and a `finally` block writes too: a process that is gone does not get that far.
_FUNCTION = '''"""Keep: write a parameter, then say that it is done."""

import boto3
from botocore.config import Config

CLIENTS = {}


def handler(event, context):
    ssm = client()
    name = "/" + (event.get("name") or event["State"])
    try:
        ssm.put_parameter(Name=name, Value="1", Type="String", Overwrite=True)
    finally:
        ssm.put_parameter(Name=name + "-done", Value="1", Type="String", Overwrite=True)
    return {"left": context.get_remaining_time_in_millis()}


def client():
    config = Config(retries={"mode": "adaptive", "max_attempts": 4}, read_timeout=30)
    if "ssm" not in CLIENTS:
        CLIENTS["ssm"] = boto3.client("ssm", config=config)
    return CLIENTS["ssm"]
'''
_FILES = {
    "template.yaml": _TEMPLATE,
    "statemachine/keep.asl.yaml": _MACHINE,
    "functions/keep/app.py": _FUNCTION,
}


class Ran:
    """One execution of the machine that has ended."""

    def __init__(self, name: str, described: dict[str, Any], history: list[dict[str, Any]]) -> None:
        self.name = name
        self.status = described["status"]
        self.described = described
        failed = (event.get("taskFailedEventDetails") for event in history)
        self.errors = [details["error"] for details in failed if details]
        self.last = history[-1]["type"]
        done = (event.get("taskSucceededEventDetails") for event in history)
        told = [json.loads(details["output"])["Payload"]["left"] for details in done if details]
        self.left_ms = told[-1] if told else None


class Trouble(World):
    """A local AWS of that project."""

    def __init__(self, aws: LocalAws, project: Path) -> None:
        super().__init__(aws)
        self.project = project

    def use(self, *faults: dict[str, Any]) -> None:
        """Let these go wrong from now on."""
        self.aws.faults.use(faults_from(list(faults), self.project))

    def start(self, name: str, **more: Any) -> str:
        """Start the machine; the execution's ARN."""
        arn = self.aws.resources["KeepMachine"].ref
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=arn, name=name, input=json.dumps({"name": name} | more)
        )
        return str(started["executionArn"])

    def run(self, *faults: dict[str, Any], **more: Any) -> Ran:  # type: ignore[override]
        """Run the machine to its end with something going wrong."""
        name = f"run-{uuid.uuid4().hex[:8]}"
        # What an event of an earlier test still does is none of this execution's.
        mine = [fault | {"when": {"execution": name} | fault.get("when", {})} for fault in faults]
        self.use(*mine) if mine else self.aws.faults.use(())
        arn, machines = self.start(name, **more), self.client("stepfunctions")
        until(lambda: machines.describe_execution(executionArn=arn)["status"] != "RUNNING")
        history = machines.get_execution_history(executionArn=arn)["events"]
        return Ran(name, machines.describe_execution(executionArn=arn), history)

    def written(self, name: str) -> tuple[int, int]:
        """How often a parameter, and the word that it is done, have been written."""
        names = [f"/{name}", f"/{name}-done"]
        found = self.ssm.get_parameters(Names=names)["Parameters"]
        versions = {p["Name"]: int(p["Version"]) for p in found}
        return versions.get(names[0], 0), versions.get(names[1], 0)

    def fired(self) -> list[int]:
        """How often each fault has acted."""
        return [len(row["fired"]) for row in self.aws.faults.report()]


@contextmanager
def in_trouble(speed: float = 200.0, throttle: bool = False) -> Iterator[Trouble]:
    """A local AWS of the project."""
    with TemporaryDirectory() as folder:
        for name, text in _FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with LocalAws(Path(folder), speed=speed, throttle=throttle) as aws:
            yield Trouble(aws, Path(folder))
