"""Kiln's bucket: what the port promises, kept by the fake and by the adapter on moto alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.objects import S3Objects
from kiln.errors import AwsRefused
from kiln.ports import Objects
from tests.fakes import FakeObjects
from tests.moto_clients import mock_aws, moto_client


@pytest.fixture(params=["fake", "moto"])
def objects(request: pytest.FixtureRequest) -> Iterator[Objects]:
    if request.param == "fake":
        yield FakeObjects()
        return
    with mock_aws():
        s3 = moto_client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="kilns", CreateBucketConfiguration=place)
        yield S3Objects(s3, "kilns")


def test_what_was_written_last_is_read(objects: Objects) -> None:
    for body in (b"one", b"two\0\xff"):
        objects.write("images/a/packages.json", body, "application/json")
    assert objects.read("images/a/packages.json") == b"two\0\xff"


def test_an_object_that_is_not_there_is_none(objects: Objects) -> None:
    assert objects.read("images/a/packages.json") is None


def test_the_end_of_an_object_is_read_without_the_rest(objects: Objects) -> None:
    objects.write("bakes/a/stderr", b"begin" + b"." * 10_000 + b"end", "text/plain")
    assert objects.end("bakes/a/stderr", 5) == b"..end"
    assert objects.end("bakes/a/stderr", 20_000).startswith(b"begin.")


def test_an_object_that_is_not_there_has_no_end(objects: Objects) -> None:
    with pytest.raises(AwsRefused, match="NoSuchKey"):
        objects.end("bakes/a/stderr", 5)


def test_a_bucket_that_is_not_there_is_no_missing_object() -> None:
    with mock_aws(), pytest.raises(AwsRefused, match="NoSuchBucket"):
        S3Objects(moto_client("s3"), "nobodys").read("images/a/packages.json")


def test_an_object_keeps_its_media_type() -> None:
    with mock_aws():
        s3 = moto_client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="kilns", CreateBucketConfiguration=place)
        S3Objects(s3, "kilns").write("a", b"{}", "application/vnd.cyclonedx+json")
        assert s3.head_object(Bucket="kilns", Key="a")["ContentType"] == (
            "application/vnd.cyclonedx+json"
        )
