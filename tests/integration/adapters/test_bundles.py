"""The bucket of bundles: what the port promises, kept by the fake and by the adapter on moto."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.adapters.bundles import S3Bundles
from kiln.errors import AwsBusy
from tests.moto_clients import mock_aws, moto_client


def test_a_bundle_goes_whole_and_its_neighbour_stays() -> None:
    with mock_aws():
        s3 = moto_client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="parts", CreateBucketConfiguration=place)
        bundles = S3Bundles(s3, "parts")
        for bake in ("web-1", "web-10"):
            for name in ("image.manifest.xml", "image.part.0"):
                key = f"{bundles.location(bake)}/{name}".removeprefix("parts/")
                s3.put_object(Bucket="parts", Key=key, Body=b"-")
        bundles.remove(bundles.location("web-1"))
        bundles.remove(bundles.location("web-1"))
        left = [found["Key"] for found in s3.list_objects_v2(Bucket="parts")["Contents"]]
    assert left == ["bundles/web-10/image.manifest.xml", "bundles/web-10/image.part.0"]


def test_a_bucket_that_is_gone_holds_nothing() -> None:
    with mock_aws():
        S3Bundles(moto_client("s3"), "nobodys").remove("nobodys/bundles/web-1")


class Stubborn:
    """An S3 that keeps what it is told to delete."""

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        return [{"Contents": [{"Key": "bundles/web-1/image.part.0"}]}]

    def delete_objects(self, **_: Any) -> Any:
        return {"Errors": [{"Key": "bundles/web-1/image.part.0", "Code": "InternalError"}]}


def test_a_part_that_stays_is_tried_again() -> None:
    with pytest.raises(AwsBusy, match=r"image\.part\.0 is still there: InternalError"):
        S3Bundles(Stubborn(), "parts").remove("parts/bundles/web-1")  # type: ignore[arg-type]
