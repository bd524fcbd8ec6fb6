"""What S3's operations are checked against, and by which action: their names differ.

Source: S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiln_local.iam.calls import Call
from kiln_local.iam.facts import backend
from kiln_local.iam.patterns import Value
from kiln_local.iam.statements import Check

# Operations on an object, and on a bucket, whose action has another name.
_OBJECT = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_BUCKET = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
}
_VERSIONED = ("GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "GetObjectAcl")


def needs(call: Call) -> Iterator[Check]:
    """What one operation of S3 needs."""
    params = call.params
    bucket = params.get("Bucket")
    if bucket is None:
        yield Check(f"s3:{_BUCKET.get(call.operation, call.operation)}", "*", {})
    elif call.operation == "DeleteObjects":
        for one in params["Delete"]["Objects"]:
            action = "DeleteObjectVersion" if one.get("VersionId") else "DeleteObject"
            yield _object(call, action, f"{bucket}/{one['Key']}")
    elif "Key" in params:
        yield from _on_object(call, str(bucket), str(params["Key"]))
    else:
        keys: dict[str, Value] = {"s3:prefix": str(params.get("Prefix") or "")}
        action = f"s3:{_BUCKET.get(call.operation, call.operation)}"
        yield call.check(action, f"arn:aws:s3:::{bucket}", "bucket", keys)


def _on_object(call: Call, bucket: str, key: str) -> Iterator[Check]:
    operation = _OBJECT.get(call.operation, call.operation)
    if call.operation == "CopyObject":
        operation = "PutObject"
        source = call.params["CopySource"]
        given = source if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
        yield _object(call, "GetObject", given.lstrip("/").partition("?")[0])
    if call.params.get("VersionId") and operation in _VERSIONED:
        operation = operation.replace("Object", "ObjectVersion", 1)
    yield _object(call, operation, f"{bucket}/{key}")
    if operation == "PutObject" and call.params.get("ACL"):
        yield _object(call, "PutObjectAcl", f"{bucket}/{key}")
    if operation.startswith("GetObject") and not _is_there(call, bucket, key):
        # Who may not list a bucket is told that a missing object is forbidden (S3 API, GetObject).
        yield call.check("s3:ListBucket", f"arn:aws:s3:::{bucket}", "bucket", {})


def _object(call: Call, operation: str, path: str) -> Check:
    keys: dict[str, Value] = {}
    if call.params.get("ACL"):
        keys["s3:x-amz-acl"] = str(call.params["ACL"])
    if call.params.get("VersionId"):
        keys["s3:VersionId"] = str(call.params["VersionId"])
    return call.check(f"s3:{operation}", f"arn:aws:s3:::{path}", "object", keys)


def _is_there(call: Call, bucket: str, key: str) -> bool:
    known: Any = backend("s3", call.account, call.region).buckets.get(bucket)
    return known is None or key in known.keys
