"""The bucket of instance-store bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._errors import ignoring, translated
from kiln.errors import AwsBusy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Bundles:
    """`Bundles` on S3."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def location(self, bake: str) -> str:
        """A folder of its own for each bake."""
        return f"{self._bucket}/bundles/{bake}"

    def size(self, location: str) -> int:
        """The sum of all objects below."""
        bucket, _, prefix = location.partition("/")
        with translated("s3", "ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2")
            found = list(pages.paginate(Bucket=bucket, Prefix=f"{prefix}/"))
        return sum(row["Size"] for page in found for row in page.get("Contents", ()))

    def remove(self, location: str) -> None:
        """Everything below, a thousand keys a call; S3 passes over those that are gone."""
        bucket, _, prefix = location.partition("/")
        with ignoring("NoSuchBucket"), translated("s3", "ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix}/"):
                self._delete(bucket, [found["Key"] for found in page.get("Contents", ())])

    def _delete(self, bucket: str, keys: list[str]) -> None:
        if not keys:
            return
        with translated("s3", "DeleteObjects"):
            answer = self._s3.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        # DeleteObjects answers 200 although some of its keys could not be deleted.
        for error in answer.get("Errors", ()):
            raise AwsBusy(f"s3://{bucket}/{error.get('Key')} is still there: {error.get('Code')}")
