"""How AWS says no: code, status and words, by service.

Sources: EC2 API, "Error codes" (UnauthorizedOperation); IAM User Guide, "Troubleshoot access denied
error messages", whose sentences these are; Common Errors of each service's API for code and status.
EC2 adds an encoded message to some of its refusals, which is left out here.
"""

from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse, HTTPHeaders

from kiln_local.iam.statements import Check

# Services whose protocol is JSON name it AccessDeniedException; all but these answer 400.
_JSON = frozenset({"dynamodb", "events", "lambda", "logs", "scheduler", "ssm", "states", "kms"})
_FORBIDDEN = frozenset({"lambda", "scheduler"})


def said(who: str, check: Check, why: str) -> str:
    """AWS's sentence: which principal may not do what, on what, and by which kind of policy."""
    resource = f'"{check.resource}"' if check.action.startswith("s3:") else check.resource
    words = (
        f"User: {who} is not authorized to perform: {check.action} on resource: {resource} {why}"
    )
    if check.action.startswith("ec2:"):
        return f"You are not authorized to perform this operation. {words}"
    return words


def answer(prefix: str, text: str) -> tuple[AWSResponse, dict[str, Any]]:
    """What botocore gets in place of an answer."""
    if prefix == "ec2":
        code, status = "UnauthorizedOperation", 403
    elif prefix in _JSON:
        code, status = "AccessDeniedException", 403 if prefix in _FORBIDDEN else 400
    else:
        code, status = "AccessDenied", 403
    parsed = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    return AWSResponse("", status, HTTPHeaders(), None), parsed
