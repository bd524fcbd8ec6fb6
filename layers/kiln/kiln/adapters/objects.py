"""Kiln's own bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Objects:
    """`Objects` on S3."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str) -> bytes | None:
        """An object's content. Who may not list the bucket is refused (403) where an object is
        missing (S3 API, GetObject), so that None is never a guess."""
        try:
            with translated("s3", "GetObject"):
                return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except AwsRefused as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def end(self, key: str, size: int) -> bytes:
        """The last bytes of an object. An empty one has no such range (HTTP 416)."""
        with translated("s3", "GetObject"):
            found = self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=-{size}")
            return found["Body"].read()

    def link(self, key: str, seconds: int) -> str:
        """A presigned address; it ends with the credentials that signed it, too."""
        with translated("s3", "GetObject"):
            return self._s3.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
            )

    def write(self, key: str, body: bytes, media_type: str) -> None:
        """Write an object whole; S3 checks what arrives against its checksum."""
        with translated("s3", "PutObject"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=media_type,
                ChecksumAlgorithm="SHA256",
            )
