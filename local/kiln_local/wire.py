"""What an HTTP request asks of AWS: an operation, by the protocol that its client speaks, and whose
access key signed it.

The protocols are those of botocore's service models: `query` and `ec2` name the operation in the
body, `json` in a header, `rest-json` and `rest-xml` by method and address, `smithy-rpc-v2-cbor` in
the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from botocore.session import get_session

from kiln_local.recorder import operation_name

# botocore's names of services, where requests are signed for another one.
_SERVICES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "states": "stepfunctions",
}
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Asked:
    """An access key and an operation, as `ec2:RunInstances`."""

    key: str
    operation: str


def asked(environ: Mapping[str, Any], body: bytes) -> Asked | None:
    """What a request asks, of its WSGI environment and body; None for one that no client of AWS
    has signed, or of an operation that botocore does not know."""
    found = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    if found is None:
        return None
    model = _model(_SERVICES.get(found[2], found[2]))
    name = _named(environ, body) or (_by_address(model, environ) if model else "")
    if model is None or name not in model.operation_names:
        return None
    return Asked(found[1], operation_name(model.operation_model(name)))


@cache
def _model(service: str) -> Any:
    session = get_session()
    if service not in session.get_available_services():
        return None
    return session.get_service_model(service)


def _named(environ: Mapping[str, Any], body: bytes) -> str:
    """The operation's name, where the protocol tells it."""
    if target := str(environ.get("HTTP_X_AMZ_TARGET", "")):
        return target.rpartition(".")[2]
    _, found, operation = str(environ.get("PATH_INFO", "")).partition("/operation/")
    if found:
        return operation
    if "x-www-form-urlencoded" in str(environ.get("CONTENT_TYPE", "")):
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""


def _by_address(model: Any, environ: Mapping[str, Any]) -> str:
    """The operation whose method and address fit: of several the one that asks for most."""
    path = str(environ.get("PATH_INFO", "/"))
    given = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    fits = [
        (len(query), len(parts), name)
        for name, method, parts, query in _addresses(model.service_name)
        if method == environ.get("REQUEST_METHOD")
        and _path_fits(parts, path)
        and all(given.get(key) == value if value else key in given for key, value in query)
    ]
    return max(fits, default=(0, 0, ""))[2]


@cache
def _addresses(service: str) -> list[tuple[str, str, tuple[str, ...], tuple[tuple[str, str], ...]]]:
    model, found = _model(service), []
    for name in model.operation_names:
        operation = model.operation_model(name)
        http = operation.http
        path, _, query = http.get("requestUri", "/").partition("?")
        # The bucket is part of the host in the model of S3, and of the path here.
        if service == "s3" and not path.startswith("/{Bucket}") and name != "ListBuckets":
            path = f"/{{Bucket}}{path}"
        parts = tuple(part for part in path.split("/") if part)
        keys = (*parse_qsl(query, keep_blank_values=True), *_required(operation.input_shape))
        found.append((name, http.get("method", "POST"), parts, keys))
    return found


def _required(shape: Any) -> Iterator[tuple[str, str]]:
    """What a call must say behind the question mark, with any value."""
    for name in shape.required_members if shape else ():
        told = shape.members[name].serialization
        if told.get("location") == "querystring":
            yield told["name"], ""


def _path_fits(parts: tuple[str, ...], path: str) -> bool:
    given = [part for part in path.split("/") if part]
    greedy = bool(parts) and parts[-1].endswith("+}")
    if len(given) < len(parts) or (len(given) > len(parts) and not greedy):
        return False
    pairs = zip(parts, given, strict=False)
    return all(part.startswith("{") or part == there for part, there in pairs)
