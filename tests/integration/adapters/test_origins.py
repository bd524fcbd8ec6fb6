"""What stands for content elsewhere, as Systems Manager and S3 tell it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kiln.adapters.origins import AwsOrigins
from tests.moto_clients import mock_aws, moto_client

CONTENT = '{"schemaVersion": "2.2", "mainSteps": [], "description": "%s"}'


@pytest.fixture
def origins() -> Iterator[AwsOrigins]:
    """The adapter on moto, with two buckets: `plain`, and `kept`, which keeps versions."""
    with mock_aws():
        s3 = moto_client("s3")
        for name in ("plain", "kept"):
            place: Any = {"LocationConstraint": "eu-west-1"}
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        yield AwsOrigins(moto_client("ssm"), s3, "kiln")


def put(bucket: str, key: str, body: str) -> None:
    moto_client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())


@pytest.mark.parametrize("bucket", ["plain", "kept"])
def test_an_object_that_changes_is_told_apart(origins: AwsOrigins, bucket: str) -> None:
    uri = f"s3://{bucket}/scripts/a.sh"
    put(bucket, "scripts/a.sh", "echo 1")
    first = origins.content(uri)
    assert first is not None
    assert origins.content(uri) == first
    put(bucket, "scripts/a.sh", "echo 2")
    assert origins.content(uri) != first


def test_a_folder_is_all_that_lies_below_it(origins: AwsOrigins) -> None:
    put("plain", "books/web/a.rb", "1")
    first = origins.content("s3://plain/books/")
    assert first == origins.content("s3://plain/books")
    put("plain", "bookshelf/a.rb", "1")
    assert origins.content("s3://plain/books") == first
    put("plain", "books/web/b.rb", "1")
    second = origins.content("s3://plain/books")
    put("plain", "books/web/b.rb", "2")
    assert len({first, second, origins.content("s3://plain/books")}) == 3


def test_what_is_not_there_or_may_not_be_read_cannot_be_told(origins: AwsOrigins) -> None:
    assert origins.content("s3://plain/gone") is None
    assert origins.content("s3://nobodys/a") is None
    assert origins.document("gone", ours=True) is None


def test_a_document_is_told_by_the_hash_of_the_version_that_would_run(origins: AwsOrigins) -> None:
    ssm = moto_client("ssm")
    ssm.create_document(Name="kiln-run-shell", Content=CONTENT % 1, DocumentType="Command")
    first = origins.document("run-shell", ours=True)
    assert first == origins.document("kiln-run-shell", ours=False)
    newer = ssm.update_document(
        Name="kiln-run-shell", Content=CONTENT % 2, DocumentVersion="$LATEST"
    )["DocumentDescription"]["DocumentVersion"]
    # Systems Manager runs the default version, which is the old one still.
    assert origins.document("run-shell", ours=True) == first
    ssm.update_document_default_version(Name="kiln-run-shell", DocumentVersion=newer)
    assert origins.document("run-shell", ours=True) != first
