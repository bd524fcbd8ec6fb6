"""Makes the resources of an expanded template, one type at a time, by the same API calls that
CloudFormation makes.

Requests are checked against botocore's models on the way. A type without a maker is an error.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from kiln_local import alarm_makers, event_makers, policy_makers
from kiln_local.fastyaml import load
from kiln_local.recorder import machine_name
from kiln_local.template import Made, Resolver, TemplateError, references

Properties = dict[str, Any]
STACK = "kiln"


class Stack:
    """The stack being made."""

    def __init__(
        self, session: boto3.Session, account: str, paths: dict[str, str], project: Path
    ) -> None:
        self.session = session
        self.account = account
        self.region = str(session.region_name)
        self.paths = paths
        self.project = project
        self.functions: dict[str, Properties] = {}
        # Where Lambda reports asynchronous invocations that failed, by function.
        self.on_failure: dict[str, str] = {}
        # The roles that functions and state machines call AWS with, by the names they call under.
        self.roles: dict[str, str] = {}
        # State machines that log, by the names they call under.
        self.logging: list[str] = []
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client, made once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)  # type: ignore[call-overload]
        return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and Region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def physical(self, name: str) -> str:
        """The physical name of a resource that has none of its own."""
        return f"{STACK}-{name}"

    @cached_property
    def empty_archive(self) -> bytes:
        """Lambda wants an archive; what runs is the folder itself."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", "")
        return buffer.getvalue()


def make_all(template: dict[str, Any], resolver: Resolver, stack: Stack) -> None:
    """Make every resource whose condition holds, in the order of their references."""
    waiting = {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }
    for name, resource in waiting.items():
        if resource["Type"] not in MAKERS:
            raise TemplateError(f"{name}: the local AWS cannot make a {resource['Type']}")
    needs = {name: _needs(resource) & waiting.keys() - {name} for name, resource in waiting.items()}
    while waiting:
        ready = [name for name in waiting if needs[name] <= resolver.known.keys()]
        if not ready:
            raise TemplateError(f"resources refer to each other in a circle: {', '.join(waiting)}")
        for name in ready:
            resource = waiting.pop(name)
            properties = resolver.value(resource.get("Properties", {}))
            resolver.known[name] = MAKERS[resource["Type"]](stack, name, properties)


def _needs(resource: dict[str, Any]) -> set[str]:
    explicit = resource.get("DependsOn", [])
    return references(resource.get("Properties", {})) | set(
        [explicit] if isinstance(explicit, str) else explicit
    )


def _table(stack: Stack, name: str, p: Properties) -> Made:
    client, table = stack.client("dynamodb"), f"{STACK}-{name}"
    ttl, recovery = (
        p.pop("TimeToLiveSpecification", None),
        p.pop("PointInTimeRecoverySpecification", None),
    )
    policy = p.pop("ResourcePolicy", None)
    encryption = p.pop("SSESpecification", {})
    p["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled", False), **encryption}
    client.create_table(TableName=table, **p)
    if ttl:
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    if recovery:
        client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    arn = stack.arn("dynamodb", f"table/{table}")
    if policy:
        text = json.dumps(policy["PolicyDocument"])
        client.put_resource_policy(ResourceArn=arn, Policy=text)
    return Made(table, Arn=arn)


def _bucket(stack: Stack, name: str, p: Properties) -> Made:
    client, bucket = stack.client("s3"), f"{STACK}-{name.lower()}-{stack.account}-{stack.region}"
    where = {"LocationConstraint": stack.region} if stack.region != "us-east-1" else None
    client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    if "VersioningConfiguration" in p:
        client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration=p["VersioningConfiguration"]
        )
    rules = p["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = "ServerSideEncryptionByDefault"
    encryption = [
        {key.replace(default, f"Apply{default}"): value for key, value in rule.items()}
        for rule in rules
    ]
    client.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": encryption}
    )
    client.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=p["PublicAccessBlockConfiguration"]
    )
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=p["OwnershipControls"])
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [_rule_of(r) for r in p["LifecycleConfiguration"]["Rules"]]
        },
    )
    if "LoggingConfiguration" in p:
        given = p["LoggingConfiguration"]
        kept = {
            "TargetBucket": given["DestinationBucketName"],
            "TargetPrefix": given["LogFilePrefix"],
        }
        client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": kept})
    return Made(bucket, Arn=f"arn:aws:s3:::{bucket}")


def _rule_of(rule: Properties) -> Properties:
    """A life-cycle rule as the API takes it: CloudFormation writes `Id`, a prefix and days flat."""
    found = {"ID" if key == "Id" else key: value for key, value in rule.items()}
    found["Filter"] = {"Prefix": found.pop("Prefix", "")}
    if "ExpirationInDays" in found:
        found["Expiration"] = {"Days": found.pop("ExpirationInDays")}
    return found


def _queue(stack: Stack, name: str, p: Properties) -> Made:
    client, queue = stack.client("sqs"), f"{STACK}-{name}"
    attributes = {key: str(value).lower() for key, value in p.items()}
    url = client.create_queue(QueueName=queue, Attributes=attributes)["QueueUrl"]
    return Made(url, Arn=stack.arn("sqs", queue), QueueName=queue)


def _security_group(stack: Stack, name: str, p: Properties) -> Made:
    client = stack.client("ec2")
    vpc = p.get("VpcId") or _default_vpc(client)
    answer = client.create_security_group(
        GroupName=f"{STACK}-{name}", Description=p["GroupDescription"], VpcId=vpc
    )
    return Made(answer["GroupId"], GroupId=answer["GroupId"], VpcId=vpc)


def _default_vpc(client: Any) -> str:
    found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    return str(found["Vpcs"][0]["VpcId"])


def _document(stack: Stack, _: str, p: Properties) -> Made:
    stack.client("ssm").create_document(
        Name=p["Name"],
        Content=json.dumps(p["Content"]),
        DocumentType=p["DocumentType"],
        DocumentFormat=p["DocumentFormat"],
        TargetType=p["TargetType"],
    )
    return Made(p["Name"])


def _logs(stack: Stack, _: str, p: Properties) -> Made:
    client = stack.client("logs")
    client.create_log_group(logGroupName=p["LogGroupName"])
    client.put_retention_policy(
        logGroupName=p["LogGroupName"], retentionInDays=int(p["RetentionInDays"])
    )
    return Made(p["LogGroupName"], Arn=stack.arn("logs", f"log-group:{p['LogGroupName']}:*"))


def _layer(stack: Stack, _: str, p: Properties) -> Made:
    answer = stack.client("lambda").publish_layer_version(
        LayerName=p["LayerName"], Content={"ZipFile": stack.empty_archive}
    )
    return Made(answer["LayerVersionArn"])


def _function(stack: Stack, name: str, p: Properties) -> Made:
    function = f"{STACK}-{name}"
    keep = ("Handler", "Role", "Runtime", "Timeout", "MemorySize", "Environment", "Architectures")
    answer = stack.client("lambda").create_function(
        FunctionName=function,
        Code={"ZipFile": stack.empty_archive},
        **{key: p[key] for key in keep if key in p},
    )
    stack.functions[function] = {**p, "LogicalId": name, "Path": stack.paths[name]}
    stack.roles[Path(stack.paths[name]).name] = p["Role"]
    return Made(function, Arn=answer["FunctionArn"])


def _invoke_config(stack: Stack, name: str, p: Properties) -> Made:
    told = {key: p[key] for key in ("DestinationConfig", "MaximumRetryAttempts") if key in p}
    stack.client("lambda").put_function_event_invoke_config(
        FunctionName=p["FunctionName"], Qualifier=p["Qualifier"], **told
    )
    failed = p.get("DestinationConfig", {}).get("OnFailure")
    if failed:
        stack.on_failure[p["FunctionName"]] = failed["Destination"]
    return Made(name)


def _state_machine(stack: Stack, name: str, p: Properties) -> Made:
    text = (stack.project / stack.paths[name]).read_text()
    for key, value in p.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{key}}}", value)
    name = p.get("StateMachineName", f"{STACK}-{name}")
    answer = stack.client("stepfunctions").create_state_machine(
        name=name,
        definition=json.dumps(load(text)),
        roleArn=p["RoleArn"],
        type=p["StateMachineType"],
    )
    stack.roles[machine_name(name)] = p["RoleArn"]
    if p.get("LoggingConfiguration", {}).get("Level", "OFF") != "OFF":
        stack.logging.append(machine_name(name))
    return Made(answer["stateMachineArn"], Arn=answer["stateMachineArn"], Name=name)


MAKERS: dict[str, Callable[[Stack, str, Properties], Made]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": policy_makers.make_bucket_policy,
    "AWS::Events::EventBus": event_makers.make_bus,
    "AWS::Events::EventBusPolicy": policy_makers.make_bus_policy,
    "AWS::Events::Rule": event_makers.make_rule,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": policy_makers.make_queue_policy,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::IAM::Role": policy_makers.make_role,
    "AWS::IAM::InstanceProfile": policy_makers.make_profile,
    "AWS::SSM::Document": _document,
    "AWS::Logs::LogGroup": _logs,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::Permission": policy_makers.make_permission,
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::Scheduler::Schedule": event_makers.make_schedule,
    "AWS::Scheduler::ScheduleGroup": event_makers.make_schedule_group,
    "AWS::SNS::Topic": alarm_makers.make_topic,
    "AWS::SNS::TopicPolicy": alarm_makers.make_topic_policy,
    "AWS::CloudWatch::Alarm": alarm_makers.make_alarm,
    "AWS::CloudWatch::Dashboard": alarm_makers.make_dashboard,
    "AWS::SNS::Subscription": event_makers.make_subscription,
}
