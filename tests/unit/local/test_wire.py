"""Requests as botocore itself sends them, and what they are read as."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.session import get_session

from kiln_local.wire import Asked, asked


class Sent(Exception):
    """A request that is on its way."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def sent(service: str, method: str, **params: Any) -> tuple[dict[str, Any], bytes]:
    """The WSGI environment and the body of a call."""
    client = get_session().create_client(
        service,
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:4566",
        aws_access_key_id="wake",
        aws_secret_access_key="wake",
    )

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        raise Sent(request)

    client.meta.events.register("before-send", stop)
    with pytest.raises(Sent) as caught:
        getattr(client, method)(**params)
    request = caught.value.request
    address = urlsplit(request.url)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in request.headers.items()}
    environ = {
        **{name: v.decode() if isinstance(v, bytes) else v for name, v in headers.items()},
        "CONTENT_TYPE": headers.get("HTTP_CONTENT_TYPE", ""),
        "REQUEST_METHOD": request.method,
        "PATH_INFO": address.path,
        "QUERY_STRING": address.query,
    }
    body = request.body or b""
    return environ, body if isinstance(body, bytes) else bytes(str(body), "utf-8")


@pytest.mark.parametrize(
    ("service", "method", "params", "operation"),
    [
        ("ec2", "describe_instances", {}, "ec2:DescribeInstances"),
        ("cloudformation", "describe_stacks", {}, "cloudformation:DescribeStacks"),
        ("ssm", "get_parameter", {"Name": "/a"}, "ssm:GetParameter"),
        ("dynamodb", "list_tables", {}, "dynamodb:ListTables"),
        ("stepfunctions", "list_state_machines", {}, "states:ListStateMachines"),
        ("cloudwatch", "describe_alarms", {}, "cloudwatch:DescribeAlarms"),
        ("lambda", "list_functions", {}, "lambda:ListFunctions"),
        ("lambda", "invoke", {"FunctionName": "kiln-Wake"}, "lambda:Invoke"),
        ("s3", "list_buckets", {}, "s3:ListBuckets"),
        ("s3", "get_object", {"Bucket": "kiln", "Key": "outputs/a/b"}, "s3:GetObject"),
        ("s3", "get_object_tagging", {"Bucket": "kiln", "Key": "a"}, "s3:GetObjectTagging"),
        ("s3", "list_objects_v2", {"Bucket": "kiln"}, "s3:ListObjectsV2"),
        ("scheduler", "get_schedule", {"Name": "nightly"}, "scheduler:GetSchedule"),
    ],
)
def test_a_call_is_known_on_the_wire(
    service: str, method: str, params: dict[str, Any], operation: str
) -> None:
    assert asked(*sent(service, method, **params)) == Asked("wake", operation)


def test_what_nobody_signed_is_no_call() -> None:
    assert asked({"REQUEST_METHOD": "GET", "PATH_INFO": "/moto-api/"}, b"") is None


def test_an_operation_that_is_none_is_no_call() -> None:
    environ, _ = sent("ec2", "describe_instances")
    assert asked(environ, b"Action=DescribeNothing") is None
