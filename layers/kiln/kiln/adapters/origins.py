"""What a bake reads from elsewhere: documents of Systems Manager, objects in S3.

A refusal is no error here. What cannot be told apart counts as changed, and the bake itself finds
out what is wrong with it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

# S3 answers HeadObject without a body: the status is all there is of the error (S3 API,
# HeadObject).
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class AwsOrigins:
    """`Origins` on Systems Manager and S3."""

    def __init__(self, ssm: SSMClient, s3: S3Client, document_prefix: str) -> None:
        self._ssm = ssm
        self._s3 = s3
        self._prefix = document_prefix

    def document(self, name: str, *, ours: bool) -> str | None:
        """DescribeDocument's Hash, which SendCommand would run: the default version's."""
        full = f"{self._prefix}-{name}" if ours else name
        try:
            with translated("ssm", "DescribeDocument"):
                found = self._ssm.describe_document(Name=full)["Document"]
        except AwsRefused:
            return None
        return found.get("Hash")

    def content(self, uri: str) -> str | None:
        """An object's version or, in a bucket without versions, its ETag."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            with translated("s3", "HeadObject"):
                found = self._s3.head_object(Bucket=bucket, Key=key)
        except AwsRefused as error:
            return self._below(bucket, key) if error.code in _MISSING else None
        version = found.get("VersionId")
        return version if version and version != "null" else found["ETag"]

    def _below(self, bucket: str, key: str) -> str | None:
        """The names and ETags of all objects below a key: a folder of cookbooks."""
        prefix = f"{key.removesuffix('/')}/"
        digest = hashlib.sha256()
        empty = True
        try:
            with translated("s3", "ListObjectsV2"):
                pages = self._s3.get_paginator("list_objects_v2")
                for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                    for entry in page.get("Contents", ()):
                        digest.update(f"{entry['Key']}\0{entry['ETag']}\n".encode())
                        empty = False
        except AwsRefused:
            return None
        return None if empty else digest.hexdigest()
