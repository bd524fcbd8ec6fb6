"""How each of AWS's protocols says that a call has failed, so that botocore raises ClientError with
that code.

Shapes: Smithy's AWS protocols (ec2Query, awsQuery, awsJson, restJson1, restXml), as botocore's
parsers read them. A HEAD has no body: its code is the status, as with AWS.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from kiln_local.faults import names
from kiln_local.faults.model import Refusal

# HTTP statuses of codes that no model gives one.
_STATUS = {
    "RequestLimitExceeded": 503,
    "SlowDown": 503,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "InternalException": 500,
    "InsufficientInstanceCapacity": 500,
    "InsufficientHostCapacity": 500,
    "UnauthorizedOperation": 403,
    "AccessDenied": 403,
}
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def spelled(service: str, refusal: Refusal) -> Refusal:
    """A refusal with the service's own code in place of a word, and with its status."""
    code = names.code_of(service, refusal.code)
    return refusal.model_copy(update={"code": code, "http": refusal.http or _http(service, code)})


def _http(service: str, code: str) -> int:
    shape = names.model_of(service).shape_for_error_code(code)
    told = shape.metadata.get("error", {}).get("httpStatusCode") if shape else None
    if shape is not None and told is None and shape.metadata.get("fault"):
        told = 500
    return int(told or _STATUS.get(code, 400))


def answer(service: str, request: Any, refusal: Refusal) -> AWSResponse:
    """The response to a request that is refused."""
    status, headers, body = serialized(service, refusal)
    content = b"" if request.method == "HEAD" else body.encode()
    return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), _Raw(content))


def serialized(service: str, refusal: Refusal) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a refusal, in the protocol of a service."""
    found, request_id = spelled(service, refusal), str(uuid.uuid4())
    protocol = names.model_of(service).resolved_protocol
    headers = {"x-amzn-RequestId": request_id}
    if protocol in ("json", "rest-json"):
        headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": found.code}
        body = json.dumps({"__type": found.code, "message": found.message})
    else:
        headers["Content-Type"] = "text/xml"
        body = _XML + _xml(protocol, found, request_id)
    return int(found.http or 400), headers, body


def _xml(protocol: str, found: Refusal, request_id: str) -> str:
    said = f"<Code>{escape(found.code)}</Code><Message>{escape(found.message)}</Message>"
    if protocol == "ec2":
        errors = f"<Errors><Error>{said}</Error></Errors>"
        return f"<Response>{errors}<RequestID>{request_id}</RequestID></Response>"
    if protocol == "rest-xml":
        return f"<Error>{said}<RequestId>{request_id}</RequestId></Error>"
    fault = "Sender" if int(found.http or 400) < 500 else "Receiver"
    error = f"<Error><Type>{fault}</Type>{said}</Error>"
    return f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"


class _Raw:
    """A body as botocore wants to read it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        """All of it at once."""
        yield self._content

    def read(self, *_: Any, **__: Any) -> bytes:
        """All of it, once."""
        content, self._content = self._content, b""
        return content
